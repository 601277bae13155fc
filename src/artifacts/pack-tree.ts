import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { AppError } from '../runtime/app-error.ts';
import { newId } from '../runtime/ids.ts';
import { ofKind } from './copy-tree.ts';
import { asFileError, showName } from './file-error.ts';
import { type ListOptions, type RefusedEntry, type Tree, listTree } from './list-tree.ts';
import { readPieces } from './read-pieces.ts';
import { readSmallFile, smallFileBytes } from './read-small-file.ts';
import { blockBytes, padding, tarHeader } from './tar-header.ts';

/** Level 1 packs source code several times faster than level 6, about a tenth larger. */
const gzipLevel = 1;
/** Small pieces are gathered up to this size: each call of the compressor costs as much as packing kilobytes. */
const gatherBytes = 128 * 1024;

function changed(path: string): AppError {
  return new AppError('infrastructure', 'folder_changed', `${showName(path)} changed while it was packed.`, {
    hint: 'Something still writes to the folder.',
  });
}

async function* fileBody(path: string, sizeBytes: number, buffer: Buffer): AsyncGenerator<Buffer> {
  let seen = 0;
  if (sizeBytes < smallFileBytes) {
    const bytes = readSmallFile(path, buffer);
    seen = bytes.length;
    // The header has promised a size: another one would shift all that follows.
    if (seen !== sizeBytes) throw changed(path);
    yield bytes;
    return;
  }
  for await (const piece of readPieces(path)) {
    seen += piece.length;
    if (seen > sizeBytes) throw changed(path);
    yield piece;
  }
  if (seen !== sizeBytes) throw changed(path);
}

async function* tarPieces(tree: Tree): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(smallFileBytes);
  for (const entry of tree.entries) {
    yield tarHeader(entry);
    if (entry.kind !== 'file' || entry.sizeBytes === 0) continue;
    yield* fileBody(join(tree.root, entry.path), entry.sizeBytes, buffer);
    yield padding(entry.sizeBytes);
  }
  yield Buffer.alloc(2 * blockBytes);
}

async function* gather(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let out = Buffer.allocUnsafe(gatherBytes);
  let filled = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const count = piece.copy(out, filled, at);
      at += count;
      filled += count;
      if (filled < out.length) continue;
      yield out;
      out = Buffer.allocUnsafe(gatherBytes);
      filled = 0;
    }
  }
  yield out.subarray(0, filled);
}

export interface PackResult {
  readonly files: number;
  /** What no archive of ours holds: pipes, sockets, unreadable entries, names that are not UTF-8. */
  readonly refused: readonly RefusedEntry[];
}

/**
 * Packs a folder as a `.tar.gz` at `file`, whole or not at all. Equal trees give equal bytes: sorted, without times, owners or set-user-id
 * bits; a file with several names is packed under each. Throws `disk_full`, `permission_denied`, `folder_too_large`, `folder_changed`.
 */
export async function packTree(dir: string, file: string, options: ListOptions = {}): Promise<PackResult> {
  const { signal } = options;
  const tree = await listTree(dir, options);
  const partial = `${file}.partial-${newId()}`;
  try {
    const out = createWriteStream(partial, { flags: 'wx', mode: 0o600 });
    const gzip = createGzip({ level: gzipLevel });
    await pipeline(gather(tarPieces(tree)), gzip, out, signal === undefined ? {} : { signal });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    if (signal?.aborted === true) throw signal.reason;
    throw asFileError(error, file);
  }
  return { files: ofKind(tree.entries, 'file').length, refused: tree.refused };
}
