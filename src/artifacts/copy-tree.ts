import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { eachBounded } from './each-bounded.ts';
import type { Tree, TreeEntry } from './list-tree.ts';

type Kind<K extends TreeEntry['kind']> = Extract<TreeEntry, { kind: K }>;

export function ofKind<K extends TreeEntry['kind']>(
  entries: readonly TreeEntry[],
  kind: K,
): readonly Kind<K>[] {
  return entries.filter((entry): entry is Kind<K> => entry.kind === kind);
}

/**
 * Copies a listed tree into `target`, which must exist and be empty. Contents are shared with the original where the filesystem can.
 * System errors come as they are, with `path` the entry of the original. On failure the target is half made and the caller's to remove.
 */
export async function copyTree(tree: Tree, target: string, signal?: AbortSignal): Promise<void> {
  const folders = ofKind(tree.entries, 'folder');
  // A folder precedes what it holds, so a plain loop never misses a parent.
  for (const folder of folders) {
    await mkdir(join(target, folder.path), { mode: 0o700 });
    signal?.throwIfAborted();
  }
  await eachBounded(ofKind(tree.entries, 'file'), { limit: 16, signal }, async (file) => {
    const to = join(target, file.path);
    await copyFile(join(tree.root, file.path), to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    // copyFile sets the original's mode whatever the umask, set-user-id bit included.
    if (file.special) await chmod(to, file.mode);
  });
  for (const link of ofKind(tree.entries, 'link')) await symlink(link.target, join(target, link.path));
  // Last, and from the leaves up: a read-only folder could not have been filled.
  for (const folder of folders.toReversed()) await chmod(join(target, folder.path), folder.mode);
}
