import { expect, test } from 'vitest';
import { AppError } from '../../runtime/app-error.ts';
import { knownTypes } from '../types/known-types.ts';
import { parseManifest } from './parse-manifest.ts';

const types = new Map([...knownTypes].map(([name, { build }]) => [name, build]));
const parse = (text: string) => parseManifest('course.yaml', text, types);

function problemsOf(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_manifest') return error.message.split('\n');
    throw error;
  }
  return [];
}

/** The problems without their places. */
function wordsOf(text: string): readonly string[] {
  return problemsOf(text).map((problem) => problem.replace(/^course\.yaml:\d+:\d+: /, ''));
}

test('the example of the documentation', () => {
  const { name, output, entries } = parse(`name: Intro to Graphs
output: dist
jobs:
  - { type: plantuml, input: "diagrams/*.puml", format: [svg, png] }
  - { type: notebook, input: "slides/*.ipynb", format: html, needs: [diagrams] }
  - { id: site, type: codex, source: site, prompt: "Add a page that lists the diagrams" }
`);
  expect({ name, output }).toEqual({ name: 'Intro to Graphs', output: 'dist' });
  expect(entries).toMatchObject([
    {
      id: 'diagrams',
      type: 'plantuml',
      needs: [],
      options: { input: ['diagrams/*.puml'], format: ['svg', 'png'] },
    },
    {
      id: 'slides',
      type: 'notebook',
      needs: ['diagrams'],
      options: { format: ['html'], execute: false },
    },
    { id: 'site', type: 'codex', options: { source: 'site' } },
  ]);
});

test('ids that nobody gave: the folder of the input, then a number; a given one goes first', () => {
  const { entries } = parse(`jobs:
  - { type: plantuml, input: "a/b/*.puml" }
  - { type: plantuml, input: "b/**/x*.puml" }
  - { type: plantuml, input: one.puml }
  - { id: b, type: drawio, input: [x/y.drawio] }
`);
  expect(entries.map(({ id }) => id)).toEqual(['b-2', 'b-3', 'plantuml', 'b']);
  expect(parse('jobs: [{ type: plantuml, input: x.puml }]').output).toBe('dist');
});

test.each([
  ['an empty file', '', ["course.yaml:1:1: 'jobs' is missing"]],
  ['no jobs', 'jobs: []', ['course.yaml:1:7: jobs: there must be at least one job']],
  ['syntax', 'jobs:\n  - type: [plantuml\n', ['course.yaml:3:1: ']],
  ['a key twice', 'name: a\nname: b\njobs: []', ['course.yaml:2:1: Map keys must be unique']],
  [
    'an unknown key',
    'jobs: [{type: plantuml, input: x}]\noutptu: x',
    ["course.yaml:2:1: 'outptu' is not known here; did you mean output?"],
  ],
  [
    'an unknown option',
    'jobs:\n  - type: plantuml\n    input: x\n    formt: svg\n',
    ["course.yaml:4:5: 'formt' is not known here; did you mean format?"],
  ],
  ['a wrong format', 'jobs:\n  - type: plantuml\n    input: x\n    format: [svg, gif]\n', ['course.yaml:4:']],
  ['no input', 'jobs:\n  - type: plantuml\n', ['course.yaml:2:5: ']],
  [
    'an id that is none',
    'jobs: [{id: "a b", type: plantuml, input: x}]',
    ['course.yaml:1:13: jobs.0.id: must be'],
  ],
  [
    'an id twice',
    'jobs:\n  - {id: a, type: plantuml, input: x}\n  - {id: a, type: plantuml, input: y}',
    ["course.yaml:3:10: the id 'a' is taken by the job in line 2"],
  ],
  [
    'an unknown need',
    'jobs:\n  - {id: diagrams, type: plantuml, input: x}\n  - {type: drawio, input: y, needs: [diagram]}',
    ["course.yaml:3:38: needs 'diagram', which is no job's id; did you mean diagrams?"],
  ],
  [
    'a circle',
    'jobs:\n  - {id: a, type: plantuml, input: x, needs: b}\n  - {id: b, type: plantuml, input: y, needs: [c]}\n  - {id: c, type: plantuml, input: z, needs: a}',
    ['course.yaml:2:46: jobs need each other in a circle: a → b → c → a'],
  ],
  [
    'an unknown type',
    'jobs:\n  - {type: plantum, input: x}',
    ["course.yaml:2:12: there is no job type 'plantum'; did you mean plantuml?"],
  ],
])('%s is told with its place', (_name, text, expected) => {
  const problems = problemsOf(text);
  expect(problems).toHaveLength(expected.length);
  for (const [at, start] of expected.entries()) expect(problems[at]?.slice(0, start.length)).toBe(start);
});

test('all that is wrong is told at once', () => {
  const problems = problemsOf(
    'jobs:\n  - {type: plantum, input: x}\n  - {type: plantuml, input: x, needs: y}\n  - {type: drawio, inptu: z}',
  );
  expect(problems.length).toBeGreaterThanOrEqual(4);
});

test('aliases that grow beyond all bounds are refused', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'
      .split('')
      .map(
        (name, at) =>
          `${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefg'[at] ?? ''}`).join(',')}]`,
      ),
  ].join('\n');
  expect(problemsOf(bomb)).toHaveLength(1);
});

test('what is missing or of the wrong kind is said in words, and a job with a slip still has its id', () => {
  expect(wordsOf('jobs:\n  - { type: plantuml }\n')).toEqual(["'input' is missing"]);
  expect(
    wordsOf(
      'jobs:\n  - { type: plantuml, input: "d/*.puml", format: jpg }\n  - { type: notebook, input: 7, needs: d }\n',
    ),
  ).toEqual([
    'format: must be one of png, svg, or a list of those',
    'input: must be a text that is not empty, or a list of such',
  ]);
});
