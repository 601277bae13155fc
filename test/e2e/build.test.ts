import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openStage } from './support/stage.ts';
import { steps } from './support/steps.ts';

test('a manifest with a codex job: the agent gets what it needs, its tree is the output, and built again nothing runs', async () => {
  await using stage = await openStage(steps('ls needs/diagrams > list.txt'));
  await mkdir(path.join(stage.site, 'diagrams'));
  await writeFile(path.join(stage.site, 'diagrams/a.puml'), '@startuml\nA -> B\n@enduml\n');
  await mkdir(path.join(stage.site, 'pages'));
  await cp(path.join(stage.site, 'index.html'), path.join(stage.site, 'pages/index.html'));
  await writeFile(
    path.join(stage.site, 'course.yaml'),
    `jobs:
  - { type: plantuml, input: "diagrams/*.puml" }
  - { id: site, type: codex, source: pages, prompt: "Write the steps", needs: diagrams, checks: "test -f index.html" }
`,
  );
  const build = stage.start(['build', '--explain']);
  expect({ ...(await build.exited), said: build.said() }).toMatchObject({ code: 0 });
  expect(await readFile(path.join(stage.site, 'dist/site/list.txt'), 'utf8')).toBe('a.svg\n');
  expect(await readFile(path.join(stage.site, 'dist/site/index.html'), 'utf8')).toContain('<h1>Site</h1>');
  // What it was given stays with the result, so that links to it hold.
  expect(await readFile(path.join(stage.site, 'dist/site/needs/diagrams/a.svg'), 'utf8')).toBe(
    await readFile(path.join(stage.site, 'dist/diagrams/a.svg'), 'utf8'),
  );
  const calls = stage.calls();
  const again = stage.start(['build']);
  expect((await again.exited).code).toBe(0);
  expect(again.said()).toContain('2 cached');
  expect(stage.calls()).toEqual(calls);
});
