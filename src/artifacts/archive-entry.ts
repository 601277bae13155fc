import { AppError } from '../runtime/app-error.ts';
import { showName } from './file-error.ts';

const packAgain = 'Pack it again with files, folders and links that stay inside it.';

/** An archive that is not unpacked, with the entry that is to blame. */
export function refuseEntry(path: string, why: string): AppError {
  const message = `The archive's entry ${showName(path)} ${why}.`;
  return new AppError('user', 'archive_refused', message, { hint: packAgain, details: { path } });
}

export function corruptArchive(why: string, cause?: unknown): AppError {
  return new AppError('user', 'archive_corrupt', `The archive cannot be read: ${why}.`, {
    hint: 'Send it again; it must be a gzipped tar archive.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * An entry's path as it comes from an archive, made plain: no `.`, no empty part, no slash at the end; '' is the root itself.
 * Throws for whatever could lead elsewhere.
 */
export function checkEntryPath(path: string): string {
  if (path.startsWith('/')) throw refuseEntry(path, 'has an absolute path');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refuseEntry(path, 'leads out of the archive with ".."');
  if (path.includes('\0')) throw refuseEntry(path, 'has a NUL in its name');
  if (path.includes('\uFFFD')) throw refuseEntry(path, 'has a name that is not UTF-8');
  return parts.join('/');
}
