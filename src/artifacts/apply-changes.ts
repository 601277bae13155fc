import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, readlink, rename, rmdir, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { FileChange } from '../contract/job.ts';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { newId } from '../runtime/ids.ts';
import type { Leaf, LeafChange } from './compare-trees.ts';
import { asFileError, showName } from './file-error.ts';
import { fingerprintFolder } from './fingerprint.ts';
import { removeTree } from './remove-tree.ts';
import { type TreeDiff } from './tree-diff.ts';
import type { ExcludeRules } from './tree-filter.ts';

export interface ApplyOptions {
  /** The folder's fingerprint when the job was accepted. */
  readonly fingerprint: string;
  /** Where the job's patch lies, for whoever has to apply it by hand. */
  readonly patchFile: string;
  readonly dataDir?: string | undefined;
  /** Files of the folder that the job's source did not have. */
  readonly exclude?: ExcludeRules | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What takes back one step that was done; run in reverse order. */
type Undo = () => Promise<void>;

interface Work {
  readonly folder: string;
  /** Inside the folder, so that every step is a rename within one filesystem. */
  readonly staging: string;
  readonly undo: Undo[];
}

/** Filesystems without hard links answer with one of these. */
function isNoLinkError(error: unknown): boolean {
  return hasErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS');
}

function byHand(folder: string, patchFile: string): string {
  return `The patch is kept: cd ${showName(folder)} && git apply ${showName(patchFile)}`;
}

/** Refuses to go below a parent that is a link: the change would land outside the folder. */
async function checkParents(folder: string, path: string): Promise<void> {
  const parts = path.split('/').slice(0, -1);
  for (let i = 1; i <= parts.length; i++) {
    const parent = parts.slice(0, i).join('/');
    try {
      const stats = await lstat(join(folder, parent));
      if (stats.isSymbolicLink()) {
        throw new AppError('user', 'folder_changed', `${showName(parent)} has become a link.`);
      }
      if (!stats.isDirectory()) return;
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return;
      throw error;
    }
  }
}

async function stage(from: string, to: string, leaf: Leaf): Promise<void> {
  if (leaf.kind === 'link') {
    await symlink(await readlink(from), to);
    return;
  }
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await chmod(to, leaf.mode);
}

/** Moves what a change replaces or deletes into the staging folder. */
async function setAside({ folder, staging, undo }: Work, path: string, index: number): Promise<void> {
  const target = join(folder, path);
  const kept = join(staging, `old-${String(index)}`);
  await rename(target, kept);
  undo.push(() => rename(kept, target));
}

/** Keeps a second name of what a rename is about to replace, so that at no moment the file is missing. */
async function keepAndReplace(work: Work, path: string, index: number): Promise<void> {
  const { folder, staging, undo } = work;
  const target = join(folder, path);
  const kept = join(staging, `old-${String(index)}`);
  try {
    await link(target, kept);
    undo.push(() => rename(kept, target));
  } catch (error) {
    if (!isNoLinkError(error)) throw error;
    await setAside(work, path, index);
  }
  await rename(join(staging, `new-${String(index)}`), target);
}

/** Gives a new file its place; fails where something has come to stand there meanwhile, which a rename would replace. */
async function place(staged: string, target: string): Promise<void> {
  try {
    await link(staged, target);
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) {
      throw new AppError('user', 'folder_changed', `${showName(target)} has appeared meanwhile.`, {
        hint: 'Nothing was changed; try again.',
        cause: error,
      });
    }
    if (!isNoLinkError(error)) throw error;
    await rename(staged, target);
  }
}

async function makeParents({ folder, undo }: Work, path: string): Promise<void> {
  const parts = path.split('/').slice(0, -1);
  for (let i = 1; i <= parts.length; i++) {
    const parent = join(folder, ...parts.slice(0, i));
    try {
      await mkdir(parent);
      undo.push(() => rmdir(parent));
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
    }
  }
}

/** Removes the folders that a deletion left empty, as git does; never the root. */
async function removeEmptyParents({ folder, undo }: Work, path: string): Promise<void> {
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    const full = join(folder, parent);
    try {
      const { mode } = await lstat(full);
      await rmdir(full);
      undo.push(async () => {
        await mkdir(full);
        await chmod(full, mode & 0o777);
      });
    } catch (error) {
      if (hasErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw error;
    }
  }
}

async function commit(work: Work, changes: readonly LeafChange[]): Promise<void> {
  // Deletions first: a folder may come where a file was, and the other way round.
  for (const [index, { path, after }] of changes.entries()) {
    if (after !== null) continue;
    await setAside(work, path, index);
    await removeEmptyParents(work, path);
  }
  for (const [index, { path, before, after }] of changes.entries()) {
    if (after === null) continue;
    if (before !== null) {
      await keepAndReplace(work, path, index);
      continue;
    }
    await makeParents(work, path);
    const target = join(work.folder, path);
    await place(join(work.staging, `new-${String(index)}`), target);
    work.undo.push(() => rename(target, join(work.staging, `taken-back-${String(index)}`)));
  }
}

async function rollBack({ undo, staging }: Work, cause: unknown): Promise<void> {
  let failed = 0;
  for (const step of undo.reverse()) {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      failed++;
    }
  }
  if (failed === 0) return;
  throw new AppError(
    'infrastructure',
    'apply_incomplete',
    `Putting the changes into the folder failed, and ${String(failed)} of ${String(undo.length)} steps could not be taken back.`,
    { hint: `What was replaced or deleted is kept in ${staging}.`, cause },
  );
}

/**
 * Puts a job's changes into the user's folder: all of them, or none. `diff` compares the job's source with its final tree.
 * Throws `folder_changed` where the folder is not as it was when the job was accepted, `disk_full`, `permission_denied`, and
 * `apply_incomplete` where a failure could not be taken back whole; in all other cases the folder is as before.
 */
export async function applyChanges(
  dir: string,
  diff: TreeDiff,
  options: ApplyOptions,
): Promise<readonly FileChange[]> {
  const { fingerprint, patchFile, signal, dataDir, exclude } = options;
  const folder = resolve(dir);
  const hint = byHand(folder, patchFile);
  if ((await fingerprintFolder(folder, { signal, dataDir, exclude })) !== fingerprint) {
    throw new AppError('user', 'folder_changed', `${showName(folder)} changed since the job was accepted.`, {
      hint,
    });
  }
  const { changes, current } = diff.comparison;
  if (changes.length === 0) return [];

  const work: Work = { folder, staging: join(folder, `.capstan-apply-${newId()}`), undo: [] };
  try {
    await mkdir(work.staging, { mode: 0o700 });
    for (const [index, { path, after }] of changes.entries()) {
      signal?.throwIfAborted();
      await checkParents(folder, path);
      if (after === null) continue;
      await stage(join(current.root, path), join(work.staging, `new-${String(index)}`), after);
    }
    await commit(work, changes);
  } catch (error) {
    // Where it cannot take everything back it throws, and the staging folder stays: it holds what was replaced.
    await rollBack(work, error);
    await removeTree(work.staging);
    throw asFileError(error, folder);
  }
  await removeTree(work.staging);
  return diff.files;
}
