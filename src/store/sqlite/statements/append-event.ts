import type { Database } from 'better-sqlite3';

/** Events whose body follows from the job's or the attempt's row: it is made when it is read. All but the request to cancel are no rows themselves: the view `job_events` adds them. */
export type DerivedEvent = 'job.accepted' | 'job.started' | 'job.cancel_requested' | 'job.finished';

export interface NewEvent {
  readonly jobNo: number;
  /** From the job's `last_seq`, which the same transaction has counted up. */
  readonly seq: number;
  readonly attempt: number;
  readonly atMs: number;
  readonly type: string;
  /** JSON, or null where it is a `DerivedEvent`. */
  readonly body: string | null;
}

export function prepareAppendEvent(db: Database): (event: NewEvent) => void {
  const statement = db.prepare<[number, number, number, number, string, string | null]>(
    'INSERT INTO events (job_no, seq, attempt, at_ms, type, body) VALUES (?, ?, ?, ?, ?, ?)',
  );
  return ({ jobNo, seq, attempt, atMs, type, body }) => {
    statement.run(jobNo, seq, attempt, atMs, type, body);
  };
}
