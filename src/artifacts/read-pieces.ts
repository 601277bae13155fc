import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AppError } from '../runtime/app-error.ts';
import { showName } from './file-error.ts';

/** Opens a file to read; a link is not followed, and what is no file is refused without waiting for it. */
async function openRegularFile(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = await handle.stat();
  if (stats.isFile()) return handle;
  await handle.close();
  throw new AppError('infrastructure', 'not_a_file', `${showName(path)} is not a file.`);
}

/** A file's bytes, piece by piece; the file is closed at the end, however that comes. */
export async function* readPieces(path: string): AsyncGenerator<Buffer> {
  const handle = await openRegularFile(path);
  try {
    for (;;) {
      // A new buffer each time: the reader may keep what it was given.
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(1 << 16), 0, 1 << 16);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
