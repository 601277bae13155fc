import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Lease } from '../../domain/job.ts';
import type { KeepLeasesOptions, LeaseKeeper } from '../../domain/lease-keeper.ts';
import { AppError } from '../../runtime/app-error.ts';
import { within } from '../../runtime/wait.ts';
import { leaseKey, type FromThread, type HeartbeatData, type ToThread } from './heartbeat-messages.ts';
import type { HeldLeaseRow } from './statements/lease.ts';
import { isBusy } from './store-error.ts';

export interface LeaseKeeperOptions extends KeepLeasesOptions {
  readonly dbPath: string;
  /** What this worker holds now, read on this thread. */
  readonly held: () => readonly HeldLeaseRow[];
  readonly subscribe: (listener: () => void) => () => void;
}

const stopLimitMs = 5_000;

/**
 * Heartbeats come from a thread of their own; a lost lease or a cancellation is noticed at once by the bell, and by the next heartbeat
 * at the latest. A thread that dies is not caught: without heartbeats the process must not go on taking jobs.
 */
export function openLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  const kept = new Map<string, AbortController>();
  const turns = new Int32Array(new SharedArrayBuffer(4));
  const thread = startThread(options, turns);
  let look: NodeJS.Immediate | null = null;
  let released: string[] = [];

  const turnMs = Math.min(options.leaseMs, options.hungAfterMs) / 3;
  const turnTimer = setInterval(() => Atomics.add(turns, 0, 1), turnMs);
  turnTimer.unref();
  thread.on('message', ({ lost, cancelled, forgotten }: FromThread) => {
    for (const key of lost) kept.get(key)?.abort(lostError(key));
    for (const key of cancelled) kept.get(key)?.abort(cancelledError(key));
    if (forgotten) options.onForgotten();
  });
  const unsubscribe = options.subscribe(lookSoon);

  function lookSoon(): void {
    look ??= setImmediate(() => {
      look = null;
      if (kept.size > 0) compare(kept, options.held);
    });
  }

  function controllerOf({ jobId, attempt }: Lease): AbortController {
    const key = leaseKey(jobId, attempt);
    const controller = kept.get(key) ?? new AbortController();
    kept.set(key, controller);
    return controller;
  }

  function hold(leases: readonly Lease[]): void {
    for (const lease of leases) controllerOf(lease);
    send(thread, { type: 'keep', leases });
    // A cancellation may have come between the claim and this.
    lookSoon();
  }

  /** Attempts that end in one commit share a message: until it arrives, a heartbeat finds an ended one at most, and nobody hears of that. */
  function release(lease: Lease): void {
    const key = leaseKey(lease.jobId, lease.attempt);
    if (!kept.delete(key)) return;
    if (released.push(key) > 1) return;
    setImmediate(() => {
      send(thread, { type: 'release', keys: released });
      released = [];
    });
  }

  return {
    hold,
    keep(lease) {
      if (!kept.has(leaseKey(lease.jobId, lease.attempt))) hold([lease]);
      return {
        signal: controllerOf(lease).signal,
        async [Symbol.asyncDispose]() {
          release(lease);
        },
      };
    },
    release,
    async [Symbol.asyncDispose]() {
      unsubscribe();
      clearInterval(turnTimer);
      if (look !== null) clearImmediate(look);
      await stopThread(thread);
    },
  };
}

function startThread(options: LeaseKeeperOptions, turns: Int32Array): Worker {
  const { dbPath, workerId, leaseMs, hungAfterMs } = options;
  const workerData: HeartbeatData = { dbPath, workerId, leaseMs, hungAfterMs, turns };
  const entry = new URL(`./heartbeat-thread${extname(import.meta.url)}`, import.meta.url);
  return new Worker(entry, { workerData, name: 'capstan heartbeats' });
}

function send(thread: Worker, message: ToThread): void {
  thread.postMessage(message);
}

async function stopThread(thread: Worker): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    thread.once('exit', () => {
      resolve();
    });
  });
  send(thread, { type: 'close' });
  const late = (): AppError =>
    new AppError('infrastructure', 'heartbeats_stuck', 'The heartbeat thread did not end.');
  await within(ended, stopLimitMs, late).catch(() => thread.terminate());
}

function compare(kept: ReadonlyMap<string, AbortController>, held: LeaseKeeperOptions['held']): void {
  let rows: readonly HeldLeaseRow[];
  try {
    rows = held();
  } catch (error) {
    if (isBusy(error)) return; // The next heartbeat says it.
    throw error;
  }
  const byKey = new Map(rows.map((row) => [leaseKey(row.id, row.attempt), row]));
  for (const [key, controller] of kept) {
    const row = byKey.get(key);
    if (row === undefined) controller.abort(lostError(key));
    else if (row.cancel_requested === 1) controller.abort(cancelledError(key));
  }
}

function lostError(key: string): AppError {
  return new AppError(
    'lost',
    'lease_lost',
    `The lease of job ${key.replace(' ', ', attempt ')} went to another attempt.`,
    {
      hint: 'This worker did not say for too long that it lives; the job goes on elsewhere.',
    },
  );
}

function cancelledError(key: string): AppError {
  return new AppError('cancelled', 'cancelled', `Job ${key.split(' ')[0] ?? ''} was cancelled.`, {
    hint: 'Submit it again with `capstan jobs retry` if that was not meant.',
  });
}
