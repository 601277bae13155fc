import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../runtime/app-error.ts';
import { asFileError } from './file-error.ts';

/** Gives the owner back the right to enter and empty every folder; links are not followed. */
async function unlock(path: string): Promise<void> {
  const stats = await lstat(path);
  if (!stats.isDirectory()) return;
  if ((stats.mode & 0o700) !== 0o700) await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true, encoding: 'buffer' })) {
    if (!entry.isDirectory()) continue;
    // A name that is not UTF-8 has no string to go on with; `rm` removes what it can reach and says where it stopped.
    await unlock(join(path, entry.name.toString('utf8'))).catch((error: unknown) => {
      if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    });
  }
}

/** Removes a file or a folder with all that it holds, also folders that were made read-only; links are removed, not followed. Absent is fine. */
export async function removeTree(path: string): Promise<void> {
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });
  try {
    try {
      await remove();
    } catch (error) {
      if (!hasErrno(error, 'EACCES', 'EPERM')) throw error;
      await unlock(path);
      await remove();
    }
  } catch (error) {
    throw asFileError(error, path);
  }
}
