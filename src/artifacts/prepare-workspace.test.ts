import { chmod, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jobFolders } from './job-folders.ts';
import { prepareWorkspace, removeJobFolders } from './prepare-workspace.ts';
import { makeTree, scratchFolder, unprivileged } from '../../test/support/scratch-folder.ts';

test('a workspace starts as the source, also where an earlier attempt left its own', async () => {
  const folders = jobFolders(scratchFolder(), 'j1');
  await makeTree(folders.source, { 'a/b': 'x', l: { link: 'a/b' } });
  await prepareWorkspace(folders);
  await writeFile(join(folders.workspace, 'a/b'), 'changed');
  await writeFile(join(folders.home, 'history'), 'x');
  await prepareWorkspace(folders);
  expect(await readFile(join(folders.workspace, 'a/b'), 'utf8')).toBe('x');
  expect(await readFile(join(folders.source, 'a/b'), 'utf8')).toBe('x');
  expect(await readdir(folders.home)).toEqual(['tmp']);
  expect(await readdir(folders.job)).toEqual(['home', 'source', 'workspace']);
});

test('a job is removed with its read-only folders, and nothing that its links point to', async () => {
  const root = scratchFolder();
  await chmod(root, 0o777);
  const folders = jobFolders(root, 'j1');
  await writeFile(join(root, 'precious'), 'x');
  await unprivileged(async () => {
    await mkdir(join(folders.workspace, 'locked/deeper'), { recursive: true });
    await writeFile(join(folders.workspace, 'locked/deeper/f'), 'x');
    await symlink(root, join(folders.workspace, 'out'));
    await chmod(join(folders.workspace, 'locked/deeper'), 0o000);
    await chmod(join(folders.workspace, 'locked'), 0o555);
    await removeJobFolders(folders);
    await removeJobFolders(folders);
  });
  expect(await readdir(join(root, 'jobs'))).toEqual([]);
  expect(await readFile(join(root, 'precious'), 'utf8')).toBe('x');
});

test.each(['../x', '', 'a/b', '.'])('the id %j is refused', (id) => {
  expect(() => jobFolders('/data', id)).toThrow('is not a job id');
});
