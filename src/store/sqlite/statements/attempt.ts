import type { Database } from 'better-sqlite3';

export interface NewAttempt {
  readonly jobNo: number;
  readonly attempt: number;
  readonly workerId: string;
  readonly nowMs: number;
  /** The number of the event that says so. */
  readonly startedSeq: number;
}

export function prepareStartAttempt(db: Database): (attempt: NewAttempt) => void {
  const statement = db.prepare<[number, number, string, number, number]>(
    'INSERT INTO attempts (job_no, attempt, worker_id, started_at_ms, started_seq) VALUES (?, ?, ?, ?, ?)',
  );
  return ({ jobNo, attempt, workerId, nowMs, startedSeq }) => {
    statement.run(jobNo, attempt, workerId, nowMs, startedSeq);
  };
}

export type AttemptEnding = 'succeeded' | 'failed' | 'parked' | 'cancelled' | 'handed_back' | 'lost';

export interface EndedAttempt {
  readonly jobNo: number;
  readonly attempt: number;
  readonly nowMs: number;
  readonly outcome: AttemptEnding;
  readonly resumed: boolean | null;
  /** JSON. */
  readonly failure: string | null;
}

export function prepareEndAttempt(db: Database): (ended: EndedAttempt) => void {
  const statement = db.prepare<[number, string, number | null, string | null, number, number]>(`
    UPDATE attempts SET ended_at_ms = ?, outcome = ?, resumed = ?, failure = ?
    WHERE job_no = ? AND attempt = ? AND ended_at_ms IS NULL
  `);
  return ({ jobNo, attempt, nowMs, outcome, resumed, failure }) => {
    statement.run(nowMs, outcome, resumed === null ? null : Number(resumed), failure, jobNo, attempt);
  };
}

/** How an attempt of this worker ended; null while it runs, undefined where there was none. */
export function prepareAttemptEnding(
  db: Database,
): (jobNo: number, attempt: number, workerId: string) => AttemptEnding | null | undefined {
  const statement = db
    .prepare<[number, number, string], AttemptEnding | null>(
      'SELECT outcome FROM attempts WHERE job_no = ? AND attempt = ? AND worker_id = ?',
    )
    .pluck();
  return (jobNo, attempt, workerId) => statement.get(jobNo, attempt, workerId);
}
