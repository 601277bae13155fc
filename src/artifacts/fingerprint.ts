import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Tree } from './list-tree.ts';
import { readPieces } from './read-pieces.ts';
import { readSmallFile, smallFileBytes } from './read-small-file.ts';
import { type SnapshotOptions, listSource } from './snapshot-folder.ts';
import { createTimeSlice } from './time-slice.ts';
import { type ExcludeRules, isBelowExcluded, repositoryData } from './tree-filter.ts';

const isExecutable = (mode: number): boolean => (mode & 0o100) !== 0;

/**
 * A sha256 (lower-case hex) over paths, kinds, executable bits, contents and link targets of a listed tree. `.git` is not part of it:
 * a commit or a fetch changes no file of the user's.
 */
export async function fingerprintTree(
  tree: Tree,
  options: { readonly signal?: AbortSignal | undefined; readonly exclude?: ExcludeRules } = {},
): Promise<string> {
  const { signal, exclude = repositoryData } = options;
  const pause = createTimeSlice(signal);
  const buffer = Buffer.allocUnsafe(smallFileBytes);
  const all = createHash('sha256');
  for (const entry of tree.entries) {
    if (isBelowExcluded(entry.path, exclude)) continue;
    await pause();
    // NUL ends each field: no path, target or hash holds one, so no two trees write the same bytes.
    all.update(`${entry.kind}\0${entry.path}\0`);
    if (entry.kind === 'folder') continue;
    if (entry.kind === 'link') {
      all.update(`${entry.target}\0`);
      continue;
    }
    const own = createHash('sha256');
    const full = join(tree.root, entry.path);
    if (entry.sizeBytes < smallFileBytes) own.update(readSmallFile(full, buffer));
    else {
      for await (const piece of readPieces(full)) {
        signal?.throwIfAborted();
        own.update(piece);
      }
    }
    all.update(`${isExecutable(entry.mode) ? 'x' : '-'}\0${own.digest('hex')}\0`);
  }
  return all.digest('hex');
}

/**
 * The fingerprint of a folder as a source: equal for a folder and its snapshot as long as neither changed. Throws what `listSource` throws.
 */
export async function fingerprintFolder(dir: string, options: SnapshotOptions = {}): Promise<string> {
  return fingerprintTree(await listSource(dir, options), { signal: options.signal });
}
