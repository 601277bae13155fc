import { closeSync, openSync } from 'node:fs';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { checkSchema, migrate } from './migrate.ts';

export interface ConnectionOptions {
  readonly dbPath: string;
  readonly journalMode: 'wal' | 'delete' | 'as_is';
  /** How long SQLite itself may block the thread for a lock. */
  readonly busyTimeoutMs: number;
}

/** Opens, checks and upgrades the database. Throws what SQLite or the file system threw; see `store-error.ts`. */
export function openConnection(options: ConnectionOptions, nowMs: number): Database {
  // Prompts lie in it: for its owner alone. SQLite gives its side files the same mode.
  closeSync(openSync(options.dbPath, 'a', 0o600));
  const db = connect(options);
  try {
    checkSchema(db);
    if (options.journalMode !== 'as_is') db.pragma(`journal_mode = ${options.journalMode}`);
    migrate(db, nowMs);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A connection to a database that `openConnection` has prepared. */
export function connect({
  dbPath,
  busyTimeoutMs,
}: Pick<ConnectionOptions, 'dbPath' | 'busyTimeoutMs'>): Database {
  const db = new BetterSqlite3(dbPath, { timeout: busyTimeoutMs, fileMustExist: true });
  db.pragma('foreign_keys = ON');
  db.pragma('synchronous = NORMAL');
  db.pragma('cache_size = -16000');
  db.pragma('journal_size_limit = 67108864');
  return db;
}
