import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { StoreTopic } from '../../domain/store.ts';
import type { AppError } from '../../runtime/app-error.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import { busyError, closedError, isBusy, movedError, toStoreError } from './store-error.ts';

/** `synced`: on disk when the promise resolves. `relaxed`: survives the process, not a power cut. */
export type Durability = 'synced' | 'relaxed';

/** What a write sees of the transaction that it shares with others. */
export interface Transaction {
  /** The database's clock, the same for the whole transaction. */
  readonly nowMs: number;
  /** Rings after the commit. */
  ring(topic: StoreTopic): void;
}

export interface GroupWriterOptions {
  readonly db: Database;
  readonly now: () => number;
  readonly ring: (topic: StoreTopic) => void;
  /** How long a write waits for other processes' locks. */
  readonly busyLimitMs: number;
}

interface Pending {
  readonly durability: Durability;
  readonly deadlineMs: number;
  readonly run: (tx: Transaction) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AppError) => void;
  /** It, or one beside it, failed in a transaction without savepoints: it gets one. */
  isSuspect: boolean;
}

/** One commit holds the event loop for about this long at most, however much waits. */
const maxGroupMs = 8;
const retryBackoff = { initialMs: 1, maxMs: 40, jitter: 0.5 };

/**
 * The one writer of a connection. Writes that come in the same turn of the event loop, or while another process holds the lock, share
 * one transaction and one sync to disk. None takes the others along when it fails: their transaction is undone and begun again, then with a
 * savepoint for each, which they do without as long as all goes well. So a write may be run twice, and must do nothing but ask the database.
 */
export class GroupWriter implements AsyncDisposable {
  readonly #options: GroupWriterOptions;
  readonly #path: string;
  readonly #inode: number;
  readonly #queue: Pending[] = [];
  readonly #savepoint;
  readonly #release;
  readonly #undo;
  #scheduled: NodeJS.Immediate | NodeJS.Timeout | null = null;
  #busyTries = 0;
  #synced: boolean | null = null;
  #closing: PromiseWithResolvers<void> | null = null;

  constructor(options: GroupWriterOptions) {
    this.#options = options;
    this.#path = options.db.name;
    this.#inode = statSync(this.#path).ino;
    this.#savepoint = options.db.prepare('SAVEPOINT one');
    this.#release = options.db.prepare('RELEASE one');
    this.#undo = options.db.prepare('ROLLBACK TO one');
  }

  write<T>(durability: Durability, run: (tx: Transaction) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#closing !== null) {
      reject(closedError(this.#path));
      return promise;
    }
    this.#queue.push({
      durability,
      deadlineMs: performance.now() + this.#options.busyLimitMs,
      run,
      resolve: resolve as (value: unknown) => void,
      reject,
      isSuspect: false,
    });
    this.#scheduled ??= setImmediate(() => this.#flush());
    return promise;
  }

  /** Commits what waits, then refuses everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= Promise.withResolvers();
    if (this.#scheduled === null) this.#closing.resolve();
    await this.#closing.promise;
  }

  #flush(): void {
    this.#scheduled = null;
    if (this.#begin()) this.#commit();
    this.#goOn();
  }

  #goOn(): void {
    if (this.#queue.length === 0) this.#closing?.resolve();
    else this.#scheduled ??= setImmediate(() => this.#flush());
  }

  /** False where another process has the lock (a retry is scheduled) or nothing can be written (all are refused). */
  #begin(): boolean {
    const synced = this.#queue.some(({ durability }) => durability === 'synced');
    try {
      if (statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode) throw movedError(this.#path);
      if (synced !== this.#synced) this.#options.db.pragma(`synchronous = ${synced ? 'FULL' : 'NORMAL'}`);
      this.#synced = synced;
      this.#options.db.exec('BEGIN IMMEDIATE');
      this.#busyTries = 0;
      return true;
    } catch (error) {
      if (isBusy(error)) this.#waitForLock(error);
      else this.#refuse(this.#queue.splice(0), error);
      return false;
    }
  }

  #waitForLock(cause: unknown): void {
    const nowMs = performance.now();
    while (this.#queue[0] !== undefined && this.#queue[0].deadlineMs <= nowMs) {
      this.#queue.shift()?.reject(busyError(this.#path, cause));
    }
    if (this.#queue.length === 0) return;
    this.#busyTries += 1;
    this.#scheduled = setTimeout(
      () => {
        this.#flush();
      },
      backoffMs(this.#busyTries, retryBackoff, Math.random()),
    );
  }

  #commit(): void {
    const { db } = this.#options;
    const topics = new Set<StoreTopic>();
    const done: { readonly pending: Pending; readonly value: unknown }[] = [];
    const untilMs = performance.now() + maxGroupMs;
    let taken = 0;
    try {
      const tx: Transaction = {
        nowMs: this.#options.now(),
        ring: (topic) => topics.add(topic),
      };
      for (const pending of this.#queue) {
        taken += 1;
        if (pending.isSuspect) this.#savepoint.run();
        try {
          done.push({ pending, value: pending.run(tx) });
        } catch (error) {
          // A full disk may have undone the whole transaction by now.
          if (!db.inTransaction) throw error;
          if (!pending.isSuspect) {
            db.exec('ROLLBACK');
            for (const each of this.#queue.slice(0, taken)) each.isSuspect = true;
            return;
          }
          this.#undo.run();
          pending.reject(toStoreError(error, this.#path));
        }
        if (pending.isSuspect) this.#release.run();
        if (performance.now() > untilMs) break;
      }
      db.exec('COMMIT');
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      this.#refuse(this.#queue.splice(0, Math.max(taken, 1)), error);
      return;
    }
    this.#queue.splice(0, taken);
    for (const topic of topics) this.#options.ring(topic);
    for (const { pending, value } of done) pending.resolve(value);
  }

  /** Settling a promise a second time changes nothing, so those that failed by themselves keep their own error. */
  #refuse(refused: readonly Pending[], error: unknown): void {
    const refusal = toStoreError(error, this.#path);
    for (const pending of refused) pending.reject(refusal);
  }
}
