import { parentPort, workerData } from 'node:worker_threads';
import type { Lease } from '../../domain/job.ts';
import { connect } from './connection.ts';
import { leaseKey, type FromThread, type HeartbeatData, type ToThread } from './heartbeat-messages.ts';
import { prepareExtendLease } from './statements/lease.ts';
import { prepareTouchWorker } from './statements/worker.ts';

// The entry of a worker's heartbeat thread: its own connection, and nothing of the job's code to wait for.
const { dbPath, workerId, leaseMs, hungAfterMs, turns } = workerData as HeartbeatData;
const beatMs = Math.max(1, Math.floor(leaseMs / 3));
const againMs = Math.min(1_000, beatMs);
/** This thread may block for a lock; a beat that fails is made up for well within the lease. */
const busyTimeoutMs = Math.min(5_000, beatMs);

const db = connect({ dbPath, busyTimeoutMs });
const now = db.prepare<[], number>("SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER)").pluck();
const extendLease = prepareExtendLease(db);
const touchWorker = prepareTouchWorker(db);
const leases = new Map<string, Lease>();
let lastTurns = -1;
let movedAtMs = performance.now();

const beatOnce = db.transaction((): FromThread => {
  const nowMs = now.get() ?? 0;
  const lost: string[] = [];
  const cancelled: string[] = [];
  for (const [key, lease] of leases) {
    const cancelRequested = extendLease(lease, nowMs + leaseMs);
    if (cancelRequested === undefined) lost.push(key);
    else if (cancelRequested) cancelled.push(key);
  }
  return { lost, cancelled, forgotten: !touchWorker(workerId, nowMs) };
});

/** A main thread that has not turned for long is hung: its leases are let go, so that another worker takes the jobs. */
function mainIsHung(): boolean {
  const count = Atomics.load(turns, 0);
  const nowMs = performance.now();
  if (count !== lastTurns) {
    lastTurns = count;
    movedAtMs = nowMs;
  }
  return nowMs - movedAtMs > hungAfterMs;
}

function beat(): void {
  let nextMs = beatMs;
  try {
    if (!mainIsHung()) {
      const found = beatOnce.immediate();
      for (const key of found.lost) leases.delete(key);
      if (found.lost.length + found.cancelled.length > 0 || found.forgotten) parentPort?.postMessage(found);
    }
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    // A lock, a full disk: whatever it is may pass before the leases run out, and the main thread meets it, too.
    nextMs = againMs;
  }
  timer = setTimeout(beat, nextMs);
}
let timer = setTimeout(beat, beatMs);

function isSqliteError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_');
}

parentPort?.on('message', (message: ToThread) => {
  if (message.type === 'keep') {
    for (const lease of message.leases) leases.set(leaseKey(lease.jobId, lease.attempt), lease);
  } else if (message.type === 'release') {
    for (const key of message.keys) leases.delete(key);
  } else {
    clearTimeout(timer);
    db.close();
    parentPort?.close();
  }
});
