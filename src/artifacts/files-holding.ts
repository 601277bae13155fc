import { join } from 'node:path';
import { ofKind } from './copy-tree.ts';
import type { Tree } from './list-tree.ts';
import { readPieces } from './read-pieces.ts';
import { readSmallFile, smallFileBytes } from './read-small-file.ts';
import { createTimeSlice } from './time-slice.ts';

/** The files of a listed tree that hold these bytes, as they are and uncompressed. System errors come as they are. */
export async function filesHolding(
  tree: Tree,
  bytes: Buffer,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const pause = createTimeSlice(signal);
  const buffer = Buffer.allocUnsafe(smallFileBytes);
  const found: string[] = [];
  for (const { path, sizeBytes } of ofKind(tree.entries, 'file')) {
    await pause();
    const full = join(tree.root, path);
    const holds =
      sizeBytes < smallFileBytes
        ? readSmallFile(full, buffer).includes(bytes)
        : await holdsInPieces(full, bytes, signal);
    if (holds) found.push(path);
  }
  return found;
}

async function holdsInPieces(path: string, bytes: Buffer, signal?: AbortSignal): Promise<boolean> {
  let end = Buffer.alloc(0);
  for await (const piece of readPieces(path)) {
    signal?.throwIfAborted();
    if (piece.includes(bytes)) return true;
    // What is searched for may lie across two pieces.
    const seam = Buffer.concat([end, piece.subarray(0, bytes.length - 1)]);
    if (seam.includes(bytes)) return true;
    end = Buffer.from(Buffer.concat([end, piece]).subarray(-(bytes.length - 1)));
  }
  return false;
}
