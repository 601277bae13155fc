import { chmodSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ApplyOptions, applyChanges } from './apply-changes.ts';
import { fingerprintFolder, fingerprintTree } from './fingerprint.ts';
import { listTree } from './list-tree.ts';
import { snapshotFolder } from './snapshot-folder.ts';
import { type TreeSpec, makeTree, scratchFolder, unprivileged } from '../../test/support/scratch-folder.ts';
import { type TreeDiff, diffTrees } from './tree-diff.ts';

interface Submitted {
  readonly root: string;
  readonly folder: string;
  readonly current: string;
  readonly options: ApplyOptions;
  diff(): Promise<TreeDiff>;
}

async function submit(base: TreeSpec, current: TreeSpec): Promise<Submitted> {
  const root = scratchFolder();
  const folder = await makeTree(join(root, 'folder'), base);
  await snapshotFolder(folder, join(root, 'source'));
  await makeTree(join(root, 'current'), current);
  const options = { fingerprint: await fingerprintFolder(folder), patchFile: '/data/changes.patch' };
  return {
    root,
    folder,
    current: join(root, 'current'),
    options,
    diff: () => diffTrees(join(root, 'source'), join(root, 'current')),
  };
}

const print = async (folder: string): Promise<string> => fingerprintTree(await listTree(folder));

test('every kind of change arrives, and nothing else is left in the folder', async () => {
  const { folder, current, diff, options } = await submit(
    {
      same: 'x',
      text: 'one',
      gone: 'x',
      mode: 'x',
      'only/one/deep': 'x',
      'file-to-folder': 'x',
      'folder-to-file/a': 'x',
      'file-to-link': 'x',
      'link-to-file': { link: 'same' },
      '.git/HEAD': 'main',
    },
    {
      same: 'x',
      text: 'two',
      mode: { exec: 'x' },
      'file-to-folder/a/b': 'x',
      'folder-to-file': 'x',
      'file-to-link': { link: 'same' },
      'link-to-file': 'y',
      'new/deep/file': { exec: 'y' },
      '.git/HEAD': 'the agent wrote here',
    },
  );
  const files = await applyChanges(folder, await diff(), options);
  expect(files.length).toBe(11);
  expect(await print(folder)).toBe(await print(current));
  expect(await readFile(join(folder, '.git/HEAD'), 'utf8')).toBe('main');
  expect(await readFile(join(folder, 'same'), 'utf8')).toBe('x');
});

test('a folder that changed meanwhile is left as it is, and the patch is named', async () => {
  const { folder, diff, options } = await submit({ a: 'x', b: 'x' }, { a: 'y', b: 'x' });
  await writeFile(join(folder, 'b'), 'edited');
  const before = await print(folder);
  await expect(applyChanges(folder, await diff(), options)).rejects.toMatchObject({
    kind: 'user',
    code: 'folder_changed',
    hint: expect.stringContaining('/data/changes.patch') as string,
  });
  expect(await print(folder)).toBe(before);
});

test('a commit in the folder or an untouched data folder is no change', async () => {
  const { folder, diff, options } = await submit({ a: 'x', '.git/HEAD': '1' }, { a: 'y', '.git/HEAD': '1' });
  await writeFile(join(folder, '.git/HEAD'), '2');
  await makeTree(folder, { '.capstan/capstan.db': 'x' });
  await applyChanges(folder, await diff(), { ...options, dataDir: join(folder, '.capstan') });
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('y');
});

test('a failure half way leaves the folder as it was', async () => {
  const { root, folder, diff, options } = await submit(
    { 'a/gone': 'x', 'b/changed': 'x', 'z/locked/f': 'x' },
    { 'b/changed': 'y', 'c/new': 'y', 'z/locked/f': 'y' },
  );
  await chmod(root, 0o755);
  const own = async (path: string): Promise<void> => {
    await chown(path, 65_534, 65_534).catch(() => undefined);
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (entry.isDirectory()) await own(join(path, entry.name));
      else await chown(join(path, entry.name), 65_534, 65_534).catch(() => undefined);
    }
  };
  await own(folder);
  await own(join(root, 'current'));
  chmodSync(join(folder, 'z/locked'), 0o555);
  const before = await print(folder);
  const changes = await diff();
  await expect(unprivileged(() => applyChanges(folder, changes, options))).rejects.toMatchObject({
    code: 'permission_denied',
  });
  expect(await print(folder)).toBe(before);
  expect(await readdir(folder)).toEqual(['a', 'b', 'z']);
});

test('a job whose files are gone changes nothing', async () => {
  const { folder, current, diff, options } = await submit({ a: 'x' }, { a: 'y', b: 'z' });
  const changes = await diff();
  await rm(join(current, 'b'));
  await expect(applyChanges(folder, changes, options)).rejects.toThrow('ENOENT');
  expect(await readdir(folder)).toEqual(['a']);
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('x');
});

test('nothing is ever written through a link', async () => {
  const { root, folder, diff, options } = await submit({ 'd/f': 'x' }, { 'd/f': 'evil' });
  const outside = join(root, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'f'), 'x');
  await rm(join(folder, 'd'), { recursive: true });
  await symlink(outside, join(folder, 'd'));
  await expect(applyChanges(folder, await diff(), options)).rejects.toMatchObject({ kind: 'user' });
  expect(await readFile(join(outside, 'f'), 'utf8')).toBe('x');
  expect((await lstat(join(folder, 'd'))).isSymbolicLink()).toBe(true);
});

test('a folder has the fingerprint of its snapshot, absolute links included', async () => {
  const root = scratchFolder();
  const folder = await makeTree(join(root, 'folder'), { 'd/a': 'x', e: null, '.git/HEAD': 'x' });
  await symlink(join(folder, 'd/a'), join(folder, 'l'));
  await snapshotFolder(folder, join(root, 'source'));
  expect(await fingerprintFolder(join(root, 'source'))).toBe(await fingerprintFolder(folder));
});

test('a folder that holds nothing arrives, too, also in the place of a file', async () => {
  const { folder, current, diff, options } = await submit(
    { kept: null, 'was-file': 'x', 'a/b': 'x' },
    { kept: null, 'was-file': null, 'a/b': 'x', 'new/deep': null, ab: null },
  );
  expect((await diff()).comparison.emptyFolders).toEqual(['ab', 'new/deep', 'was-file']);
  await applyChanges(folder, await diff(), options);
  expect(await print(folder)).toBe(await print(current));
  expect((await readdir(folder)).sort()).toEqual(['a', 'ab', 'kept', 'new', 'was-file']);
});
