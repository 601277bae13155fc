import type { Database } from 'better-sqlite3';
import type { NewJob } from '../../../domain/store.ts';
import type { JobRow } from '../job-row.ts';

/** Inserts a queued job; its row's number. `input` is JSON. */
export function prepareInsertJob(db: Database): (job: NewJob, input: string, nowMs: number) => number {
  const statement = db.prepare(`
    INSERT INTO jobs (id, type, queue, state, last_seq, priority, max_attempts, run_at_ms, created_at_ms, idempotency_key, retry_of, input)
    VALUES (?, ?, ?, 'queued', 1, ?, ?, ?, ?, ?, ?, ?)
  `);
  return (job, input, nowMs) =>
    Number(
      statement.run(
        job.id,
        job.type,
        job.queue,
        job.priority,
        job.maxAttempts,
        job.runAtMs ?? nowMs,
        nowMs,
        job.idempotencyKey,
        job.retryOf,
        input,
      ).lastInsertRowid,
    );
}

export function prepareJobByKey(db: Database): (idempotencyKey: string) => JobRow | undefined {
  const statement = db.prepare<[string], JobRow>('SELECT * FROM jobs WHERE idempotency_key = ?');
  return (key) => statement.get(key);
}
