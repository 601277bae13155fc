import type { Database } from 'better-sqlite3';

/** Events whose body follows from the job's or the attempt's row: only the fact is stored, the body is made when it is read. */
export type DerivedEvent = 'job.accepted' | 'job.started' | 'job.cancel_requested' | 'job.finished';

export interface NewEvent {
  readonly jobNo: number;
  readonly attempt: number;
  readonly atMs: number;
  readonly type: string;
  /** JSON, or null for a `DerivedEvent`. */
  readonly body: string | null;
}

/** Appends an event with the job's next number. */
export function prepareAppendEvent(db: Database): (event: NewEvent) => void {
  const statement = db.prepare<[NewEvent]>(`
    INSERT INTO events (job_no, seq, attempt, at_ms, type, body)
    VALUES (@jobNo, (SELECT coalesce(max(seq), 0) + 1 FROM events WHERE job_no = @jobNo), @attempt, @atMs, @type, @body)
  `);
  return (event) => {
    statement.run(event);
  };
}
