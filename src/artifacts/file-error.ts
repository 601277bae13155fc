import { AppError, hasErrno } from '../runtime/app-error.ts';

/** A name as an error message shows it: control characters and newlines escaped, so that one name stays on one line. */
export function showName(name: string): string {
  return JSON.stringify(name);
}

/** A system error as an AppError that names the path: `disk_full`, `permission_denied`, `read_only`. Anything else is handed back as it is. */
export function asFileError(error: unknown, path: string): unknown {
  if (hasErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new AppError(
      'infrastructure',
      'disk_full',
      `The disk is full: could not write ${showName(path)}.`,
      {
        hint: 'Free some space on that disk. A job that is still running is tried again; one that has ended, with `capstan jobs retry`.',
        cause: error,
        details: { path },
      },
    );
  }
  if (hasErrno(error, 'EACCES', 'EPERM')) {
    return new AppError('configuration', 'permission_denied', `No permission for ${showName(path)}.`, {
      hint: 'Give the user that runs Capstan the right to read and write it.',
      cause: error,
      details: { path },
    });
  }
  if (hasErrno(error, 'EROFS')) {
    return new AppError('configuration', 'read_only', `The disk that holds ${showName(path)} is read-only.`, {
      hint: 'Mount it writable, or choose another data folder.',
      cause: error,
      details: { path },
    });
  }
  return error;
}

/** Runs `work` and gives its system errors the path that they belong to. */
export async function onFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asFileError(error, path);
  }
}
