import { copyFile, mkdir, realpath, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, test as plain } from 'vitest';
import { checkCommand } from '../../src/supervisor/check-command.ts';
import { needs } from '../support/needs.ts';
import { makeTree } from '../support/scratch-folder.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { openToolStage } from '../support/tool-stage.ts';

const { test } = needs('plantuml', 'graphviz', 'jupyter', 'chromium', 'userns');

/** An installed program under another name in a folder of its own, as a package in /opt would be. */
async function elsewhere(dir: TempDir, name: string): Promise<string> {
  const installed = await checkCommand({ command: name, env: { PATH: '/usr/bin:/bin' }, cwd: '/' });
  const bin = dir.join('opt', name, 'bin');
  await mkdir(bin, { recursive: true });
  await symlink(await realpath(installed), path.join(bin, `my-${name}`));
  return path.join(bin, `my-${name}`);
}

async function openWith(type: 'plantuml' | 'notebook' | 'drawio', tools: Readonly<Record<string, string>>) {
  const environment = Object.fromEntries(
    Object.entries(tools).map(([name, value]) => [`CAPSTAN_TOOLS__${name}`, value]),
  );
  const stage = await openToolStage(type, { environment, maxAttempts: 1 });
  return {
    ...stage,
    async make(files: Readonly<Record<string, string>>, input: object = {}) {
      return stage.run({ source: { dir: await makeTree(stage.dir.join('source'), files) }, ...input });
    },
  };
}

test('PlantUML, its Java and its Graphviz may lie anywhere, and a source may be as large as is said', async () => {
  await using dir = await tempDir();
  const jar = dir.join('home-of-somebody/plantuml.jar');
  await mkdir(path.dirname(jar));
  await copyFile('/usr/share/plantuml/plantuml.jar', jar);
  await using stage = await openWith('plantuml', {
    JAVA: await elsewhere(dir, 'java'),
    DOT: await elsewhere(dir, 'dot'),
    PLANTUML: jar,
    PLANTUML_MAX_MIB: '1',
  });
  const classes = '@startuml\nclass A\nclass B\nA --> B\n@enduml\n';
  const job = await stage.make({ 'a.puml': classes, 'b.puml': `${classes}${"'".padEnd(1024 * 1024, 'x')}` });
  expect(job.failure).toMatchObject({
    code: 'file_too_large',
    message: expect.stringContaining('1024 KiB') as string,
  });
  await makeTree(stage.dir.join('one'), { 'a.puml': classes });
  expect(await stage.run({ source: { dir: stage.dir.join('one') } })).toMatchObject({ state: 'succeeded' });
});

test('a diagram has the time that is said', async () => {
  await using stage = await openWith('plantuml', { PLANTUML_TIMEOUT: '300ms' });
  const classes = Array.from({ length: 400 }, (_, at) => `class C${at}\nC${at} --> C${(at * 7) % 400}`);
  expect(await stage.make({ 'a.puml': `@startuml\n${classes.join('\n')}\n@enduml\n` })).toMatchObject({
    failure: { kind: 'timeout', code: 'diagram_timeout' },
  });
});

test('a Python with Jupyter may be named, and its cells have the time and the output that is said', async () => {
  await using dir = await tempDir();
  await using stage = await openWith('notebook', {
    JUPYTER: await elsewhere(dir, 'python3'),
    // Those that do not loop have no more.
    NOTEBOOK_CELL_TIMEOUT: '3s',
    NOTEBOOK_OUTPUT_MAX_MIB: '1',
  });
  const run = async (name: string, code: string) => {
    const source = await makeTree(stage.dir.join(name), { 'a.py': `# %%\n${code}\n` });
    return stage.run({ source: { dir: source }, files: ['a.py'], execute: true });
  };
  expect(await run('fine', 'print(1)')).toMatchObject({ state: 'succeeded' });
  expect((await run('slow', 'while True: pass')).failure).toMatchObject({ code: 'cell_timeout' });
  expect((await run('loud', "print('x' * 2_000_000)")).failure).toMatchObject({ code: 'output_too_large' });
});

test('a Chromium may be named for draw.io, and a file has the time and the size that is said', async () => {
  await using dir = await tempDir();
  await using stage = await openWith('drawio', {
    CHROMIUM: await elsewhere(dir, 'chromium'),
    DRAWIO_MAX_MIB: '1',
  });
  const drawing =
    '<mxfile><diagram><mxGraphModel><root><mxCell id="0"/></root></mxGraphModel></diagram></mxfile>';
  expect(await stage.make({ 'a.drawio': drawing })).toMatchObject({ state: 'succeeded' });
  const large = await makeTree(stage.dir.join('large'), { 'a.drawio': drawing.padEnd(1024 * 1024 + 1) });
  expect((await stage.run({ source: { dir: large } })).failure).toMatchObject({ code: 'file_too_large' });
});

plain.for(['JAVA', 'DOT', 'PLANTUML'])('tools.%s that leads nowhere is named', async (name) => {
  await expect(openWith('plantuml', { [name]: '/nowhere/at-all' })).rejects.toMatchObject({
    kind: 'configuration',
    code: 'tool_missing',
    message: `tools.${name.toLowerCase()} is /nowhere/at-all, where there is no such program.`,
  });
});
