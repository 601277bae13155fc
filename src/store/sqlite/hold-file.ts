import Database from 'better-sqlite3';

/**
 * Takes a file for this process alone, null where another has it. The lock is the operating system's, taken by SQLite on an empty
 * database: Node has no file lock of its own, and this one goes with the process however it ends.
 */
export function holdFile(path: string): Disposable | null {
  const db = new Database(path, { timeout: 0 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (at INTEGER)');
  } catch (error) {
    db.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null;
    throw error;
  }
  return {
    [Symbol.dispose]() {
      db.close();
    },
  };
}
