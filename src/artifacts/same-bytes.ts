import { join } from 'node:path';
import { readPieces } from './read-pieces.ts';
import { readSmallFile, smallFileBytes } from './read-small-file.ts';

/** Compares two large files piece by piece; pieces of both have the same length but for the last. */
async function sameLargeFiles(a: string, b: string): Promise<boolean> {
  const right = readPieces(b);
  try {
    for await (const piece of readPieces(a)) {
      const other = await right.next();
      if (other.done === true || !piece.equals(other.value)) return false;
    }
    return (await right.next()).done === true;
  } finally {
    await right.return(undefined);
  }
}

/** A comparer of files of equal size below two roots; keeps two buffers, so use one at a time. */
export function createByteComparer(
  rootA: string,
  rootB: string,
): (path: string, sizeBytes: number) => Promise<boolean> | boolean {
  const left = Buffer.allocUnsafe(smallFileBytes);
  const right = Buffer.allocUnsafe(smallFileBytes);
  return (path, sizeBytes) => {
    const a = join(rootA, path);
    const b = join(rootB, path);
    if (sizeBytes >= smallFileBytes) return sameLargeFiles(a, b);
    return readSmallFile(a, left).equals(readSmallFile(b, right));
  };
}
