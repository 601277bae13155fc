import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { snapshotFolder } from './snapshot-folder.ts';
import { leftovers, makeTree, scratchFolder, unprivileged } from '../../test/support/scratch-folder.ts';

test('a snapshot holds everything: dotfiles, .git, empty folders, modes, odd names', async () => {
  const root = scratchFolder();
  const source = await makeTree(join(root, 'in'), {
    'index.html': '<h1>hi</h1>',
    '.env': 'A=1',
    '.git/HEAD': 'ref: refs/heads/main',
    'empty/deeper': null,
    'bin/run': { exec: '#!/bin/sh\n' },
    'two\nlines.txt': 'x',
    'ünï/😀.txt': 'y',
    'replacement-\uFFFD': 'z',
  });
  await chmod(join(source, 'bin/run'), 0o6755);
  await chmod(join(source, 'empty'), 0o555);
  const result = await snapshotFolder(source, join(root, 'out'));
  expect(result.files).toBe(7);
  expect((await readdir(join(root, 'out'), { recursive: true })).sort()).toEqual(
    (await readdir(source, { recursive: true })).sort(),
  );
  expect((await lstat(join(root, 'out/bin/run'))).mode & 0o7777).toBe(0o755);
  expect((await lstat(join(root, 'out/empty'))).mode & 0o777).toBe(0o555);
  expect(await readFile(join(root, 'out/two\nlines.txt'), 'utf8')).toBe('x');
});

test('links that stay inside are kept, absolute ones become relative, dangling ones stay', async () => {
  const root = scratchFolder();
  const source = join(root, 'in');
  await makeTree(source, {
    'a/file': 'x',
    'a/up': { link: '../b/other' },
    'b/other': 'y',
    'b/absolute': { link: join(source, 'a/file') },
    root: { link: source },
    dangling: { link: 'nowhere' },
    loop: { link: 'loop' },
  });
  await snapshotFolder(source, join(root, 'out'));
  expect(await readlink(join(root, 'out/a/up'))).toBe('../b/other');
  expect(await readlink(join(root, 'out/b/absolute'))).toBe('../a/file');
  expect(await readlink(join(root, 'out/root'))).toBe('.');
  expect(await readlink(join(root, 'out/dangling'))).toBe('nowhere');
});

test.each([
  ['relative', { 'a/out': { link: '../../secret' } }, 'a/out', '../../secret'],
  ['absolute', { out: { link: '/etc/passwd' } }, 'out', '/etc/passwd'],
  [
    'through another link',
    { 'd/e/f': 'x', l: { link: 'd/e' }, out: { link: 'l/../../../x' } },
    'out',
    'l/../../../x',
  ],
])('a link that leads out (%s) is refused by name', async (_, spec, path, target) => {
  const root = scratchFolder();
  const source = await makeTree(join(root, 'in'), spec);
  await expect(snapshotFolder(source, join(root, 'out'))).rejects.toMatchObject({
    kind: 'user',
    code: 'source_link_outside',
    details: { path, target },
  });
  expect(await readdir(root)).toEqual(['in']);
});

test('a missing folder and a file are refused, each with its own code', async () => {
  const root = scratchFolder();
  await writeFile(join(root, 'file'), 'x');
  await expect(snapshotFolder(join(root, 'none'), join(root, 'out'))).rejects.toMatchObject({
    kind: 'user',
    code: 'source_missing',
  });
  await expect(snapshotFolder(join(root, 'file', 'x'), join(root, 'out'))).rejects.toMatchObject({
    code: 'source_missing',
  });
  await expect(snapshotFolder(join(root, 'file'), join(root, 'out'))).rejects.toMatchObject({
    kind: 'user',
    code: 'source_not_folder',
  });
});

test('an empty folder is fine', async () => {
  const root = scratchFolder();
  await mkdir(join(root, 'in'));
  expect(await snapshotFolder(join(root, 'in'), join(root, 'out'))).toEqual({
    files: 0,
    sizeBytes: 0,
    withheld: [],
  });
  expect(await readdir(join(root, 'out'))).toEqual([]);
});

test('pipes and sockets are refused by name', async () => {
  const root = scratchFolder();
  const source = await makeTree(join(root, 'in'), { a: 'x' });
  execFileSync('mkfifo', [join(source, 'pipe')]);
  await expect(snapshotFolder(source, join(root, 'out'))).rejects.toMatchObject({
    code: 'source_special_file',
    details: { path: 'pipe', reason: 'fifo' },
  });
  await rm(join(source, 'pipe'));
  const server = createServer();
  onTestFinished(
    () =>
      new Promise((resolve) =>
        server.close(() => {
          resolve(undefined);
        }),
      ),
  );
  await new Promise<void>((resolve) => server.listen(join(source, 'sock'), resolve));
  await expect(snapshotFolder(source, join(root, 'out'))).rejects.toMatchObject({
    code: 'source_special_file',
    details: { path: 'sock', reason: 'socket' },
  });
});

test('a name that is not UTF-8 is refused by name', async () => {
  const root = scratchFolder();
  const source = await makeTree(join(root, 'in'), { 'ok-\uFFFD': 'x' });
  writeFileSync(Buffer.concat([Buffer.from(`${source}/caf`), Buffer.from([0xe9])]), 'x');
  await expect(snapshotFolder(source, join(root, 'out'))).rejects.toMatchObject({
    code: 'source_name_not_utf8',
    details: { path: 'café' },
  });
});

test('what cannot be read is refused by name, be it a file or a folder', async () => {
  const root = scratchFolder();
  chmodSync(root, 0o777);
  const source = await makeTree(join(root, 'in'), { 'sub/secret.txt': 'x', 'locked/a': 'y' });
  await chown(source, 65_534, 65_534).catch(() => undefined);
  await chmod(join(source, 'sub/secret.txt'), 0o000);
  const out = join(root, 'out');
  await expect(unprivileged(() => snapshotFolder(source, out))).rejects.toMatchObject({
    kind: 'user',
    code: 'source_unreadable',
    message: expect.stringContaining('secret.txt') as string,
  });
  await chmod(join(source, 'sub/secret.txt'), 0o644);
  await chmod(join(source, 'locked'), 0o000);
  await expect(unprivileged(() => snapshotFolder(source, out))).rejects.toMatchObject({
    kind: 'user',
    code: 'source_unreadable',
    message: expect.stringContaining('locked') as string,
  });
  expect(await leftovers(root)).toEqual([]);
});

test('a target that may not be written is a permission problem of the data folder', async () => {
  const root = scratchFolder();
  const source = await makeTree(join(root, 'in'), { a: 'x' });
  chmodSync(root, 0o755);
  mkdirSync(join(root, 'data'), { mode: 0o755 });
  if (process.geteuid?.() !== 0) chmodSync(join(root, 'data'), 0o555);
  await expect(unprivileged(() => snapshotFolder(source, join(root, 'data/out')))).rejects.toMatchObject({
    kind: 'configuration',
    code: 'permission_denied',
  });
});

test('limits on entries and bytes name the limit', async () => {
  const root = scratchFolder();
  const source = await makeTree(join(root, 'in'), { a: 'xxxx', b: 'yyyy', c: 'z' });
  const refused = { kind: 'user', code: 'folder_too_large' };
  const limits = { maxEntries: 3, maxBytes: 9 };
  await expect(
    snapshotFolder(source, join(root, 'out'), { limits: { ...limits, maxEntries: 2 } }),
  ).rejects.toMatchObject(refused);
  await expect(
    snapshotFolder(source, join(root, 'out'), { limits: { ...limits, maxBytes: 8 } }),
  ).rejects.toMatchObject(refused);
  expect(await snapshotFolder(source, join(root, 'out'), { limits })).toEqual({
    files: 3,
    sizeBytes: 9,
    withheld: [],
  });
});

test('a file of 200 MB is copied', async () => {
  const root = scratchFolder();
  const source = await makeTree(join(root, 'in'), { big: 'x' });
  await truncate(join(source, 'big'), 200 * 1024 ** 2);
  expect(await snapshotFolder(source, join(root, 'out'))).toEqual({
    files: 1,
    sizeBytes: 200 * 1024 ** 2,
    withheld: [],
  });
});

test('the data folder inside the source is left out, and is itself no source', async () => {
  const root = scratchFolder();
  const source = await makeTree(join(root, 'in'), { a: 'x', '.capstan/jobs/1/source/a': 'x' });
  const dataDir = join(source, '.capstan');
  const target = join(dataDir, 'jobs/2/source');
  await snapshotFolder(source, target, { dataDir });
  expect(await readdir(target)).toEqual(['a']);
  await expect(snapshotFolder(dataDir, target, { dataDir })).rejects.toMatchObject({
    code: 'source_is_data_folder',
  });
});

test('an abort ends it with its reason and leaves nothing', async () => {
  const root = scratchFolder();
  const source = await makeTree(join(root, 'in'), { a: 'x' });
  const reason = new Error('enough');
  await expect(snapshotFolder(source, join(root, 'out'), { signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
  expect(await readdir(root)).toEqual(['in']);
});
