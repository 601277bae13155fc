import type { Database } from 'better-sqlite3';
import type { JobState } from '../../../contract/job.ts';

/** What an ending of an attempt, or of the job, reads of the row that it changes. */
export interface EndableRow {
  readonly no: number;
  readonly id: string;
  readonly state: JobState;
  readonly attempt: number;
  readonly counted_attempts: number;
  readonly max_attempts: number;
  readonly worker_id: string | null;
  readonly last_seq: number;
  readonly cancel_requested: number;
}

const columns =
  'no, id, state, attempt, counted_attempts, max_attempts, worker_id, last_seq, cancel_requested';

export function prepareEndable(db: Database): (id: string) => EndableRow | undefined {
  const statement = db.prepare<[string], EndableRow>(`SELECT ${columns} FROM jobs WHERE id = ?`);
  return (id) => statement.get(id);
}

/** Running jobs whose lease ran out. */
export function prepareExpired(db: Database): (nowMs: number) => EndableRow[] {
  const statement = db.prepare<[number], EndableRow>(
    `SELECT ${columns} FROM jobs WHERE state = 'running' AND lease_until_ms <= ?`,
  );
  return (nowMs) => statement.all(nowMs);
}

/** Running jobs of one worker. */
export function prepareHeldBy(db: Database): (workerId: string) => EndableRow[] {
  const statement = db.prepare<[string], EndableRow>(
    `SELECT ${columns} FROM jobs WHERE state = 'running' AND worker_id = ?`,
  );
  return (workerId) => statement.all(workerId);
}

export interface JobEnding {
  readonly no: number;
  /** The state and fence that the change was decided on. */
  readonly from: JobState;
  readonly attempt: number;
  readonly to: Exclude<JobState, 'running'>;
  readonly counted: 0 | 1;
  /** Null keeps what it was. */
  readonly runAtMs: number | null;
  readonly finishedAtMs: number | null;
  /** JSON. */
  readonly failure: string | null;
  /** JSON; null keeps the report before. */
  readonly report: string | null;
}

/** Takes a job out of its attempt, or out of the queue for good, and counts the event that says so. Returns whether the row was still as it was decided on. */
export function prepareEndJob(db: Database): (ending: JobEnding) => boolean {
  const statement = db.prepare<[JobEnding]>(`
    UPDATE jobs SET
      state = @to, counted_attempts = counted_attempts + @counted, run_at_ms = coalesce(@runAtMs, run_at_ms),
      finished_at_ms = @finishedAtMs, worker_id = NULL, lease_until_ms = NULL, cancel_requested = 0,
      last_seq = last_seq + 1, failure = @failure, report = coalesce(@report, report)
    WHERE no = @no AND state = @from AND attempt = @attempt
  `);
  return (ending) => statement.run(ending).changes === 1;
}

export function prepareRequestCancel(db: Database): (no: number) => void {
  const statement = db.prepare<[number]>(
    "UPDATE jobs SET cancel_requested = 1, last_seq = last_seq + 1 WHERE no = ? AND state = 'running'",
  );
  return (no) => {
    statement.run(no);
  };
}
