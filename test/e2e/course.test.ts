import { cp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test as plain } from 'vitest';
import { courseScenario } from '../../demo/course-scenario.ts';
import { sha256OfTree } from '../support/sha256-of-tree.ts';
import { needs } from '../support/needs.ts';
import { openStage } from './support/stage.ts';

const course = path.join(import.meta.dirname, '../../examples/course');
const { test } = needs('plantuml', 'graphviz', 'jupyter', 'chromium', 'userns');

async function copyCourse(to: string): Promise<void> {
  await cp(course, to, { recursive: true, filter: (from) => path.basename(from) !== 'dist' });
}

test('the sample course is built from scratch: pages show the diagrams, and the agent lists what the others made', async () => {
  await using stage = await openStage(courseScenario);
  await copyCourse(path.join(stage.site, 'course'));
  const build = stage.start(['build', 'course/course.yaml']);
  expect({ ...(await build.exited), said: build.said() }).toMatchObject({ code: 0 });
  const read = (file: string): Promise<string> =>
    readFile(path.join(stage.site, 'course/dist', file), 'utf8');
  const page = await read('site/index.html');
  expect(page.match(/(?:src|href)="needs\/[^"]+"/g)).toHaveLength(7);
  expect(await readdir(path.join(stage.site, 'course/dist/site/needs/diagrams'))).toHaveLength(10);
  const slides = await read('slides/graphs.html');
  expect(slides.match(/<img src="data:image\/svg/g)).toHaveLength(2);
  expect(slides).toContain('{1: 2, 2: 2, 3: 3, 4: 1}');
  // What the agent got and what lies in the output are the same files.
  expect(await read('site/needs/diagrams/frontier.svg')).toBe(await read('diagrams/frontier.svg'));
});

test('built twice from scratch, in other folders, the documents have the same bytes', async () => {
  await using stage = await openStage(courseScenario);
  const built: Readonly<Record<string, string>>[] = [];
  for (const name of ['one', 'a second']) {
    const folder = path.join(stage.site, name);
    await copyCourse(folder);
    const data = path.join(stage.site, `data of ${name}`);
    const build = stage.start(['build', `${name}/course.yaml`, '--only', 'slides'], { CAPSTAN_DATA: data });
    expect({ ...(await build.exited), said: build.said() }).toMatchObject({ code: 0 });
    built.push(await sha256OfTree(path.join(folder, 'dist')));
  }
  expect(Object.keys(built[0] ?? {})).toHaveLength(12);
  expect(built[1]).toEqual(built[0]);
});

plain('without a key the course fails before any job, and says what can be built without one', async () => {
  await using stage = await openStage(courseScenario);
  await copyCourse(path.join(stage.site, 'course'));
  const build = stage.start(['build', 'course/course.yaml'], { OPENAI_API_KEY: '' });
  expect((await build.exited).code).toBe(2);
  expect(build.said()).toContain("The codex job 'site' cannot be built.");
  expect(build.said()).toContain('--only diagrams,network,slides');
  expect((await stage.capstan.store.listJobs({ limit: 1 })).items).toEqual([]);
});
