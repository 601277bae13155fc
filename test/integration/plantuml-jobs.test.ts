import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { makeTree } from '../support/scratch-folder.ts';
import { seeProcesses } from '../support/codex-stage.ts';
import { openToolStage, shareToolStage, type ToolStage } from '../support/tool-stage.ts';

const { describe } = needs('plantuml', 'graphviz', 'userns');
const course = path.join(import.meta.dirname, '../../examples/course/diagrams');

describe('plantuml jobs', () => {
  const stage = shareToolStage('plantuml');
  const draw: ToolStage['runOn'] = (...work) => stage().runOn(...work);
  const jvms = async (): Promise<readonly number[]> =>
    (await seeProcesses())
      .filter(
        ({ args }) =>
          args[0]?.endsWith('java') === true && args.some((arg) => arg.includes(stage().dir.path)),
      )
      .map(({ pid }) => pid);

  test('the diagrams of the course become svg and png, named after @startuml', async () => {
    const job = await stage().run({ source: { dir: course }, formats: ['svg', 'png'] });
    expect(job.failure).toBeUndefined();
    const names = ['frontier', 'graph-model', 'search-sequence'].flatMap((name) => [
      `${name}.png`,
      `${name}.svg`,
    ]);
    expect(job.artifacts.map(({ name }) => name).sort()).toEqual(names.sort());
    expect((await stage().artifact(job, 'graph-model.svg')).toString()).toContain('WeightedGraph');
    expect((await stage().artifact(job, 'frontier.png')).subarray(1, 4).toString()).toBe('PNG');
  });

  test('the same diagram gives the same bytes', async () => {
    const file = path.join(course, 'search.puml');
    const [one, two] = [await stage().run({ source: { file } }), await stage().run({ source: { file } })];
    expect(one.artifacts).toEqual(two.artifacts);
    expect(one.artifacts).toHaveLength(1);
  });

  test('one JVM draws all jobs', async () => {
    const before = await jvms();
    for (let index = 0; index < 3; index += 1) await draw({ 'a.puml': '@startuml\na -> b\n@enduml\n' });
    expect(before).toHaveLength(1);
    expect(await jvms()).toEqual(before);
  });

  test('several diagrams of a file without names are numbered, in folders of their own', async () => {
    const job = await draw({ 'deep/er/flow.puml': '@startuml\na->b\n@enduml\n@startuml\nc->d\n@enduml\n' });
    expect(job.artifacts).toMatchObject([
      { name: 'deep__er__flow.svg', path: 'deep/er/flow.svg' },
      { name: 'deep__er__flow_001.svg', path: 'deep/er/flow_001.svg' },
    ]);
  });

  test('a mistake is the user’s, with file and line; the other files are drawn', async () => {
    const job = await draw({
      'good.puml': '@startuml\na -> b\n@enduml\n',
      'wrong.puml': 'a remark\n@startuml\nclass A\nthis is no diagram !!\n@enduml\n',
    });
    expect(job).toMatchObject({ state: 'failed', failure: { kind: 'user', code: 'diagram_syntax' } });
    expect(job.failure?.message).toContain('wrong.puml, line 4');
    expect(job.failure?.hint).not.toBe('');
    expect(job.artifacts.map(({ name }) => name)).toEqual(['good.svg']);
  });

  test('includes start at the diagram’s own folder and reach all of the source', async () => {
    const job = await draw(
      {
        'parts/common.iuml': 'title Common title',
        'chapter/near.iuml': 'participant Nearby',
        'chapter/a.puml': '@startuml\n!include near.iuml\n!include ../parts/common.iuml\na -> b\n@enduml\n',
      },
      { files: ['chapter/a.puml'] },
    );
    expect(job.failure).toBeUndefined();
    const svg = (await stage().artifact(job, 'chapter__a.svg')).toString();
    expect(svg).toContain('Common title');
    expect(svg).toContain('Nearby');
  });

  test.for([
    ['a URL', '!include http://127.0.0.1:9/x'],
    ['a file of the system', '!include /etc/passwd'],
    ['a file above the source', '!include ../secret.iuml'],
    ['a path that only the tool can work out', '!$p = "@DIR@/sec" + "ret.iuml"\n!include $p'],
    ['a link out of the jail', '!$p = "/proc/1/root/etc/" + "passwd"\n!include $p'],
  ] as const)('%s cannot be included', async ([, include]) => {
    await makeTree(stage().dir.path, { 'secret.iuml': 'title Secret title' });
    const job = await draw({
      'a.puml': `@startuml\n${include.replace('@DIR@', stage().dir.path)}\na -> b\n@enduml\n`,
    });
    expect(job.state).toBe('failed');
    expect(job.failure?.kind).toBe('user');
    expect(job.failure?.code).toMatch(/^include_(?:refused|failed)$/);
  });

  test('nothing is fetched, even where the address is put together by the tool', async () => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.end('title Fetched title');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const text = `@startuml\n!$h = "ht" + "tp://127.0.0.1:${port}/x"\n!includeurl $h\na -> b\n@enduml\n`;
    const job = await draw({ 'a.puml': text });
    await new Promise((resolve) => server.close(resolve));
    expect(job.state).toBe('failed');
    expect(asked).toBe(0);
  });

  test('every page of a diagram is an image, named as the tool names files', async () => {
    const job = await draw({
      'a.puml': `@startuml
!include style.iuml
a -> b : one
newpage
b -> c : two
@enduml
@startuml x
a -> b : three
newpage
b -> c : four
@enduml
@startuml
a -> b : five
@enduml
`,
      'style.iuml': 'skinparam shadowing false',
    });
    expect(job.warnings).toEqual([]);
    const names = job.artifacts.map(({ name }) => name);
    expect(names).toEqual(['a.svg', 'a_001.svg', 'x.svg', 'x_001.svg', 'a_003.svg']);
    const said = await Promise.all(
      names.map(
        async (name) =>
          />(one|two|three|four|five)</.exec((await stage().artifact(job, name)).toString())?.[1],
      ),
    );
    expect(said).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test('`newpage` in a file that is included, also by one that is, gives pages, too', async () => {
    const job = await stage().runOn(
      {
        'a.puml': '@startuml\n!include deep/middle.iuml\nb -> c : two\n@enduml\n',
        'b.puml': '@startuml\n!$part = "deep/pages"\n!include $part.iuml\nb -> c : two\n@enduml\n',
        'c.puml': '@startuml\nb -> c : one\n@enduml\n',
        'deep/middle.iuml': '!include pages.iuml\n',
        'deep/pages.iuml': 'a -> b : one\n newpage Next\n',
      },
      { files: ['a.puml', 'b.puml', 'c.puml'] },
    );
    expect(job.failure).toBeUndefined();
    const names = job.artifacts.map(({ name }) => name);
    expect(names).toEqual(['a.svg', 'a_001.svg', 'b.svg', 'b_001.svg', 'c.svg']);
    expect((await stage().artifact(job, 'a_001.svg')).toString()).toContain('>two<');
  });

  test.for([
    ['empty', '', 'file_empty'],
    ['without a diagram', 'nothing here', 'no_diagram'],
    ['not closed', '@startuml\na -> b\n', 'diagram_not_closed'],
    [
      'with two diagrams of one name',
      '@startuml x\na->b\n@enduml\n@startuml x\na->b\n@enduml\n',
      'duplicate_name',
    ],
    ['that speaks to the pipe', '@startuml\n@@@format png\na -> b\n@enduml\n', 'reserved_line'],
    ['huge', `@startuml\n${'a'.repeat(2_100_000)}\n@enduml\n`, 'file_too_large'],
  ] as const)('a file %s is refused', async ([, text, code]) => {
    const job = await draw({ 'a.puml': text, 'b.iuml': 'only to be included' });
    expect(job).toMatchObject({ state: 'failed', failure: { kind: 'user', code } });
  });

  test('a JVM that is killed is replaced, and the job is done again', async () => {
    const [pid] = await jvms();
    let killed = false;
    const job = await draw({ 'a.puml': '@startuml\na -> b\n@enduml\n' }, {}, async () => {
      if (!killed && pid !== undefined) process.kill(pid, 'SIGKILL');
      killed = true;
    });
    expect(job.state).toBe('succeeded');
    const [next] = await jvms();
    expect(next).not.toBe(pid);
  });

  test('a JVM that hangs costs the job its time, and is replaced', async () => {
    const [pid] = await jvms();
    if (pid !== undefined) process.kill(pid, 'SIGSTOP');
    const text = '@startuml\na -> b\n@enduml\n';
    const hung = await draw({ 'a.puml': text }, { timeoutMs: 1_000 });
    expect(hung).toMatchObject({ state: 'failed', failure: { kind: 'timeout' } });
    expect((await draw({ 'a.puml': text })).state).toBe('succeeded');
    expect(await jvms()).not.toContain(pid);
  });

  test('a cancelled job leaves the tool to the next one', async () => {
    const many = Array.from(
      { length: 300 },
      (_, index) => `class C${index}\nC${index} --> C${(index * 7) % 300}`,
    );
    const slow = await draw({ 'slow.puml': `@startuml\n${many.join('\n')}\n@enduml\n` }, {}, (cancel) =>
      cancel(),
    );
    expect(slow.state).toBe('cancelled');
    expect((await draw({ 'a.puml': '@startuml\na -> b\n@enduml\n' })).state).toBe('succeeded');
  });

  test('a job that takes too long ends as such, and the next one is drawn', async () => {
    const many = Array.from(
      { length: 400 },
      (_, index) => `class C${index}\nC${index} --> C${(index * 7) % 400}`,
    );
    const slow = await draw({ 'slow.puml': `@startuml\n${many.join('\n')}\n@enduml\n` }, { timeoutMs: 300 });
    expect(slow).toMatchObject({ state: 'failed', failure: { kind: 'timeout' } });
    expect((await draw({ 'a.puml': '@startuml\na -> b\n@enduml\n' })).state).toBe('succeeded');
  });
});

test('a worker without PlantUML says which package to install', async () => {
  await expect(openToolStage('plantuml', { commandPath: '/nowhere' })).rejects.toMatchObject({
    kind: 'configuration',
    code: 'plantuml_missing',
    hint: expect.stringContaining('apt-get install') as string,
  });
});
