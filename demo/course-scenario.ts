import type { ModelRequest } from '../test/scripted-model/model-request.ts';
import type { ScenarioInput, TurnInput } from '../test/scripted-model/scenario.ts';

/** What the offline model answers to the course's one prompt: it looks at what is there and writes a page of that. */
export const courseScenario: ScenarioInput = {
  conversations: [{ name: "the course's start page", when: "List the course's material", turns: turn }],
};

type Answer = Extract<TurnInput, { readonly fault?: undefined }>;

function turn(index: number, request: ModelRequest): TurnInput | undefined {
  const turns: readonly Answer[] = [
    {
      text: 'First I see what the other jobs have made.',
      commands: ["find needs -name '*.svg' -o -name '*.html'"],
    },
    { text: 'I put the slides and the diagrams on the page.', patch: pagePatch(madeFiles(request)) },
    { text: 'Now I check that nothing leads nowhere.', commands: ['node scripts/check-page.js'] },
    {
      final: {
        text: 'The page lists all of the material.',
        files: [{ change: 'modified', path: 'index.html' }],
        summary: 'Listed the slides as links and the diagrams as pictures with captions.',
      },
    },
  ];
  const now = turns[index];
  return now === undefined ? undefined : { gapMs: 20, ...now };
}

/** The files that the agent's own command has found. */
function madeFiles({ history }: ModelRequest): readonly string[] {
  const told = history.flatMap((item) => (item.kind === 'result' ? [item.text] : [])).join('\n');
  return [...new Set(told.match(/^needs\/\S+\.(?:svg|html)$/gm) ?? [])].sort();
}

function pagePatch(files: readonly string[]): string {
  const slides = files.filter((file) => file.endsWith('.html'));
  const pictures = files.filter((file) => file.endsWith('.svg'));
  const lines = [
    '<h2>Slides</h2>',
    '<ul>',
    ...slides.map((file) => `  <li><a href="${file}">${titleOf(file)}</a></li>`),
    '</ul>',
    '<h2>Diagrams</h2>',
    ...pictures.flatMap((file) => [
      '<figure>',
      `  <img src="${file}" alt="${titleOf(file)}" />`,
      `  <figcaption>${titleOf(file)}</figcaption>`,
      '</figure>',
    ]),
  ];
  return [
    '*** Begin Patch',
    '*** Update File: index.html',
    '@@',
    "-      <!-- the course's material -->",
    ...lines.map((line) => `+      ${line}`),
    '*** End Patch',
  ].join('\n');
}

function titleOf(file: string): string {
  const words = (file.split('/').at(-1) ?? file).replace(/\.\w+$/, '').replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
