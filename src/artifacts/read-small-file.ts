import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { AppError } from '../runtime/app-error.ts';
import { showName } from './file-error.ts';

/** Files up to this size are read in one synchronous go; larger ones piece by piece through the thread pool. */
export const smallFileBytes = 256 * 1024;

/**
 * Reads a file whole into `buffer` and hands back the part that it fills; what does not fit is cut. A link is not followed, and what is
 * no file is refused without waiting for it.
 */
export function readSmallFile(path: string, buffer: Buffer): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) {
      throw new AppError('infrastructure', 'not_a_file', `${showName(path)} is not a file.`);
    }
    let filled = 0;
    while (filled < buffer.length) {
      const count = readSync(fd, buffer, filled, buffer.length - filled, null);
      if (count === 0) break;
      filled += count;
    }
    return buffer.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}
