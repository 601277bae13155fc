import type { Database } from 'better-sqlite3';
import type { Lease } from '../../../domain/job.ts';

/** Whether the attempt that holds the lease is still the job's live one. */
const holds = "id = ? AND attempt = ? AND worker_id = ? AND state = 'running'";

/** Extends a lease; whether its job should stop, or undefined where the lease is lost. */
export function prepareExtendLease(db: Database): (lease: Lease, untilMs: number) => boolean | undefined {
  const statement = db
    .prepare<[number, string, number, string], number>(
      `UPDATE jobs SET lease_until_ms = ? WHERE ${holds} RETURNING cancel_requested`,
    )
    .pluck();
  return ({ jobId, attempt, workerId }, untilMs) => {
    const cancelRequested = statement.get(untilMs, jobId, attempt, workerId);
    return cancelRequested === undefined ? undefined : cancelRequested === 1;
  };
}

export interface EventRoom {
  readonly no: number;
  readonly last_seq: number;
}

/** Counts `count` more events where the lease holds: the last one's number. */
export function prepareCountEvents(db: Database): (lease: Lease, count: number) => EventRoom | undefined {
  const statement = db.prepare<[number, string, number, string], EventRoom>(
    `UPDATE jobs SET last_seq = last_seq + ? WHERE ${holds} RETURNING no, last_seq`,
  );
  return ({ jobId, attempt, workerId }, count) => statement.get(count, jobId, attempt, workerId);
}

export interface HeldLeaseRow {
  readonly id: string;
  readonly attempt: number;
  readonly cancel_requested: number;
}

/** Everything that a worker holds. */
export function prepareHeldLeases(db: Database): (workerId: string) => HeldLeaseRow[] {
  const statement = db.prepare<[string], HeldLeaseRow>(
    "SELECT id, attempt, cancel_requested FROM jobs WHERE state = 'running' AND worker_id = ?",
  );
  return (workerId) => statement.all(workerId);
}

export function prepareSaveCheckpoint(db: Database): (jobNo: number, checkpoint: string) => void {
  const statement = db.prepare<[string, number]>('UPDATE jobs SET checkpoint = ? WHERE no = ?');
  return (jobNo, checkpoint) => {
    statement.run(checkpoint, jobNo);
  };
}
