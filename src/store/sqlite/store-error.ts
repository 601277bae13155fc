import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../runtime/app-error.ts';
import { describeAccess } from './describe-access.ts';

/** What SQLite or the file system threw about the database at `dbPath`, as an AppError with the next step. */
export function toStoreError(error: unknown, dbPath: string): AppError {
  if (error instanceof AppError) return error;
  const code = errorCode(error);
  const text = error instanceof Error ? error.message : String(error);
  const fail = (kind: 'configuration' | 'infrastructure', name: string, [message, hint]: [string, string]) =>
    new AppError(kind, name, message, { hint, cause: error, details: { dbPath, sqlite: code } });

  if (isBusy(error)) return busyError(dbPath, error);
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT' || isWantOfRoom(code, dbPath)) {
    return fail('infrastructure', 'store_full', [
      `There is no space left to write to ${dbPath}.`,
      'Free space on that disk; what was accepted before is kept, and what was refused can be sent again.',
    ]);
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return fail('configuration', 'store_corrupt', [
      `${dbPath} is damaged or not a Capstan database (${text}).`,
      `Nothing was deleted. Copy the file, then try \`sqlite3 ${dbPath} .recover | sqlite3 recovered.db\`, or choose another --db-path.`,
    ]);
  }
  if (code === 'SQLITE_READONLY_DBMOVED') return movedError(dbPath);
  if (code.startsWith('SQLITE_READONLY') || code === 'EROFS' || code === 'EPERM')
    return readOnly(dbPath, fail);
  if (code === 'SQLITE_CANTOPEN' || code.startsWith('SQLITE_CANTOPEN_') || isFileError(code)) {
    return cannotOpen(dbPath, fail);
  }
  if (code === 'SQLITE_IOERR_NOMEM' || code === 'SQLITE_NOMEM') {
    return fail('infrastructure', 'store_no_memory', [
      `There was not enough memory to read or write ${dbPath}.`,
      'Give this process more memory, or run less beside it.',
    ]);
  }
  if (lockingCodes.has(code)) {
    return fail('configuration', 'store_cannot_lock', [
      `${dbPath} lies where files cannot be locked (${code}).`,
      'Put the data folder on a local disk, not on a network share.',
    ]);
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return fail('infrastructure', 'store_io', [
      `Reading or writing ${dbPath} failed (${code}).`,
      'Look at the disk and the system log: the disk may be failing, or was taken away.',
    ]);
  }
  if (text === 'The database connection is not open') return closedError(dbPath);
  return fail('infrastructure', 'store_failed', [
    `The database ${dbPath} refused a statement: ${text}`,
    'This is a fault in Capstan; the log has the stack.',
  ]);
}

/** Some calls of the file system that SQLite makes fail on a full disk without saying why. */
const roomCodes: ReadonlySet<string> = new Set(
  ['WRITE', 'FSYNC', 'DIR_FSYNC', 'TRUNCATE', 'SHMOPEN', 'SHMSIZE', 'SHMMAP'].map(
    (name) => `SQLITE_IOERR_${name}`,
  ),
);
const lockingCodes: ReadonlySet<string> = new Set(
  ['LOCK', 'UNLOCK', 'RDLOCK', 'CHECKRESERVEDLOCK', 'SHMLOCK'].map((name) => `SQLITE_IOERR_${name}`),
);
/** As much as a small write needs. */
const roomBytes = 64 * 1024;

function isWantOfRoom(code: string, dbPath: string): boolean {
  if (!roomCodes.has(code)) return false;
  try {
    const { bavail, bsize } = statfsSync(dirname(dbPath));
    return bavail * bsize < roomBytes;
  } catch {
    return false; // The place is gone: that is no want of room.
  }
}

export function isBusy(error: unknown): boolean {
  const code = errorCode(error);
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED');
}

export function busyError(dbPath: string, cause: unknown): AppError {
  return new AppError(
    'infrastructure',
    'store_busy',
    `${dbPath} is locked by another process. ${describeAccess(dbPath)}`,
    {
      hint: `Try again; if it stays so, find who holds the lock with \`fuser ${dbPath}\`.`,
      cause,
      details: { dbPath },
    },
  );
}

export function movedError(dbPath: string): AppError {
  return new AppError('infrastructure', 'store_moved', `${dbPath} was moved or deleted while it was open.`, {
    hint: 'Put the file back and start this process again; what it is asked now would be lost and is refused.',
    details: { dbPath },
  });
}

export function closedError(dbPath: string): AppError {
  return new AppError('infrastructure', 'store_closed', `The store ${dbPath} has been closed.`, {
    hint: 'The process is on its way out; ask again when it has started anew.',
    details: { dbPath },
  });
}

type Fail = (kind: 'configuration' | 'infrastructure', name: string, text: [string, string]) => AppError;

function readOnly(dbPath: string, fail: Fail): AppError {
  return fail('configuration', 'store_read_only', [
    `${dbPath} cannot be written: the file, its folder or the disk is read-only. ${describeAccess(dbPath)}`,
    'Make the file and its folder writable for this user (SQLite writes beside the file, too), or choose another --db-path.',
  ]);
}

/** SQLite and the system name one code for many causes; the file system tells which it is. */
function cannotOpen(dbPath: string, fail: Fail): AppError {
  const folder = dirname(dbPath);
  const file = look(dbPath);
  const place = file === 'missing' ? look(folder) : file;
  if (place === 'missing' || (file === 'missing' && !statSync(folder).isDirectory())) {
    return fail('configuration', 'store_unreachable', [
      `${dbPath} cannot be opened: its folder ${folder} is missing or not a folder.`,
      'Create the folder or choose another --db-path.',
    ]);
  }
  if (place === 'denied' || (file === 'there' && !may(dbPath, constants.R_OK))) {
    return fail('configuration', 'store_forbidden', [
      `This user may not read ${dbPath}. ${describeAccess(dbPath)}`,
      'Run as the user that owns the data folder, or choose another --db-path.',
    ]);
  }
  if (file === 'there' && statSync(dbPath).isDirectory()) {
    return fail('configuration', 'store_unreachable', [
      `${dbPath} is a folder, not a database file.`,
      'Name a file with --db-path.',
    ]);
  }
  return readOnly(dbPath, fail);
}

/** `denied`: a folder above may not be entered. */
function look(path: string): 'there' | 'missing' | 'denied' {
  try {
    accessSync(path);
    return 'there';
  } catch (error) {
    return errorCode(error) === 'EACCES' ? 'denied' : 'missing';
  }
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false; // The question was whether it throws.
  }
}

function isFileError(code: string): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'].includes(code);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
