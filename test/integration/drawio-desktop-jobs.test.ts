import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { findDrawio } from '../../src/runners/drawio/find-drawio.ts';
import { makeTree } from '../support/scratch-folder.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { openToolStage } from '../support/tool-stage.ts';

const standIn = path.join(import.meta.dirname, '../children/drawio.sh');
const file = (...pages: readonly string[]): string =>
  `<mxfile>${pages.map((name) => `<diagram name="${name}"><mxGraphModel/></diagram>`).join('')}</mxfile>`;

interface Desktop {
  readonly dir: TempDir;
  /** A PATH that has it and Xvfb's wrapper. */
  readonly commandPath: string;
  readonly program: string;
}

/** A desktop program of this version in a folder of its own. */
async function install(dir: TempDir, version: string): Promise<Desktop> {
  const bin = dir.join('desktop/bin');
  await mkdir(bin, { recursive: true });
  const program = path.join(bin, 'drawio');
  await copyFile(standIn, program);
  await writeFile(path.join(bin, 'version'), `${version}\n`);
  await writeFile(path.join(bin, 'xvfb-run'), '#!/bin/sh\nshift\nDISPLAY=:99 exec "$@"\n');
  for (const name of ['drawio', 'xvfb-run']) await chmod(path.join(bin, name), 0o755);
  return { dir, program, commandPath: `${bin}:${process.env['PATH'] ?? ''}` };
}

async function openStage(desktop: Desktop, environment: Readonly<Record<string, string>> = {}) {
  const stage = await openToolStage('drawio', {
    commandPath: desktop.commandPath,
    environment,
    maxAttempts: 2,
  });
  let count = 0;
  return {
    ...stage,
    async draw(content: string, input: object = {}) {
      count += 1;
      const dir = await makeTree(desktop.dir.join(`source-${count}`), { 'in/a b.drawio': content });
      return stage.run({ source: { dir }, ...input });
    },
  };
}

test('each page is exported by the desktop program without a screen, by its number, named as it is', async () => {
  await using dir = await tempDir();
  await using stage = await openStage(await install(dir, '27.0.2'));
  const job = await stage.draw(file('One', 'A &amp; B'), { formats: ['svg', 'png'], scale: 2 });
  expect(job.failure).toBeUndefined();
  expect(job.artifacts.map(({ name, path: at }) => at ?? name)).toEqual([
    'in/a b-One.svg',
    'in/a b-One.png',
    'in/a b-A & B.svg',
    'in/a b-A & B.png',
  ]);
  const drawn = await Promise.all(
    job.artifacts.map(async ({ name }) => (await stage.artifact(job, name)).toString('latin1')),
  );
  expect(drawn[0]).toMatch(
    /^<svg>--export --format svg --page-index 1 --scale 2 --output \S+\.svg \S+\.drawio --no-sandbox --disable-gpu screen=:99<\/svg>$/m,
  );
  expect(drawn[3]).toContain('--format png --page-index 2 ');
});

test('a program of before 27.0.2 counts pages from 0', async () => {
  await using dir = await tempDir();
  const { commandPath } = await install(dir, '24.6.4');
  const found = await findDrawio({ path: commandPath }, AbortSignal.timeout(10_000));
  expect(found).toMatchObject({ kind: 'desktop', firstPage: 0, version: '24.6.4 (desktop)' });
});

test.each([
  [
    'says that it failed',
    'FAIL',
    { kind: 'user', code: 'drawing_invalid', message: expect.stringContaining('Export failed') as string },
  ],
  ['leaves half a picture', 'HALF', { kind: 'user', code: 'drawing_invalid' }],
  ['dies each time', 'DIE', { kind: 'infrastructure', code: 'drawio_died' }],
  ['hangs', 'HANG', { kind: 'timeout', code: 'drawing_timeout' }],
] as const)('a program that %s fails the job with the page', async (_what, word, failure) => {
  await using dir = await tempDir();
  await using stage = await openStage(await install(dir, '27.1.0'), {
    // The others end by themselves, however slow the machine is.
    CAPSTAN_TOOLS__DRAWIO_TIMEOUT: word === 'HANG' ? '500ms' : '30s',
  });
  const job = await stage.draw(file(word));
  expect(job).toMatchObject({ state: 'failed', failure });
  expect(job.failure?.message).toContain(`in/a b.drawio, ${word}`);
});

test('one that is set and does not start is refused by name; one on PATH that does not start gives way', async () => {
  await using dir = await tempDir();
  const { commandPath, program } = await install(dir, 'cannot open display');
  const signal = AbortSignal.timeout(20_000);
  await expect(findDrawio({ path: commandPath, drawio: program }, signal)).rejects.toMatchObject({
    kind: 'configuration',
    code: 'drawio_broken',
    message: expect.stringContaining('cannot open display') as string,
  });
  await expect(findDrawio({ path: commandPath, drawio: dir.join('none') }, signal)).rejects.toMatchObject({
    code: 'tool_missing',
    message: expect.stringContaining('tools.drawio') as string,
  });
  const other = await findDrawio({ path: commandPath }, signal).then(
    ({ kind }) => kind,
    (error: unknown) => (error as { readonly code?: string }).code,
  );
  expect(['app', 'chromium_missing']).toContain(other);
});
