import { resolve } from 'node:path';
import type { Store } from '../../domain/store.ts';
import { systemClock, type Clock } from '../../runtime/clock.ts';
import { openConnection } from './connection.ts';
import { retryBusy } from './retry-busy.ts';
import { createSqliteStore } from './sqlite-store.ts';

export interface SqliteStoreOptions {
  readonly dbPath: string;
  /** Stands in for the database's clock. */
  readonly clock?: Clock;
  /** `delete` for a file system without shared memory; `as_is` leaves it to who made the file. */
  readonly journalMode?: 'wal' | 'delete' | 'as_is';
  /** How long a call waits for other processes' locks before `store_busy`. */
  readonly busyLimitMs?: number;
}

const busyLimitMs = 10_000;
/** SQLite waits by blocking the thread: briefly here, then the event loop goes on and it is tried again. */
const busyTimeoutMs = 3;

/**
 * Opens the database, making or upgrading it where needed; its folder must exist. The caller disposes the store.
 * Rejects with `store_unreachable`, `store_forbidden`, `store_read_only`, `store_corrupt`, `store_foreign`, `store_newer`, `store_busy`, `store_full`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const dbPath = resolve(options.dbPath);
  const limitMs = options.busyLimitMs ?? busyLimitMs;
  const connection = { dbPath, journalMode: options.journalMode ?? 'wal', busyTimeoutMs } as const;
  const db = await retryBusy(() => openConnection(connection, systemClock()), { dbPath, limitMs });
  return createSqliteStore(db, {
    busyLimitMs: limitMs,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
}
