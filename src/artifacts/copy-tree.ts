import { closeSync, constants, fchmodSync, openSync, writeSync } from 'node:fs';
import { chmod, copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { eachBounded } from './each-bounded.ts';
import type { Tree, TreeEntry } from './list-tree.ts';
import { readSmallFile, smallFileBytes } from './read-small-file.ts';
import { createTimeSlice } from './time-slice.ts';

type Kind<K extends TreeEntry['kind']> = Extract<TreeEntry, { kind: K }>;

export function ofKind<K extends TreeEntry['kind']>(
  entries: readonly TreeEntry[],
  kind: K,
): readonly Kind<K>[] {
  return entries.filter((entry): entry is Kind<K> => entry.kind === kind);
}

/** Writes a new file in one synchronous go; the umask does not touch its mode. */
export function writeSmallFile(path: string, bytes: Buffer, mode: number): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

/**
 * Copies a listed tree into `target`, which must exist and be empty. Large files share their contents with the original where the
 * filesystem can; small ones are read and written, at half the CPU time of a copy by the kernel.
 * System errors come as they are. On failure the target is half made and the caller's to remove.
 */
export async function copyTree(tree: Tree, target: string, signal?: AbortSignal): Promise<void> {
  const pause = createTimeSlice(signal);
  const folders = ofKind(tree.entries, 'folder');
  // A folder precedes what it holds, so a plain loop never misses a parent.
  for (const folder of folders) {
    await mkdir(join(target, folder.path), { mode: 0o700 });
    signal?.throwIfAborted();
  }
  const buffer = Buffer.allocUnsafe(smallFileBytes);
  const large: Kind<'file'>[] = [];
  for (const file of ofKind(tree.entries, 'file')) {
    await pause();
    const bytes =
      file.sizeBytes < smallFileBytes ? readSmallFile(join(tree.root, file.path), buffer) : buffer;
    // A full buffer may be a file that has grown since it was listed.
    if (bytes.length === buffer.length) large.push(file);
    else writeSmallFile(join(target, file.path), bytes, file.mode);
  }
  await eachBounded(large, { limit: 4, signal }, async (file) => {
    const to = join(target, file.path);
    await copyFile(join(tree.root, file.path), to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    // copyFile sets the original's mode whatever the umask, set-user-id bit included.
    if (file.special) await chmod(to, file.mode);
  });
  for (const link of ofKind(tree.entries, 'link')) await symlink(link.target, join(target, link.path));
  // Last, and from the leaves up: a read-only folder could not have been filled.
  for (const folder of folders.toReversed()) await chmod(join(target, folder.path), folder.mode);
}
