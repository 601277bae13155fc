import { failureSchema, type Failure } from '../../contract/failure.ts';
import { attemptReportSchema, type JobState } from '../../contract/job.ts';
import type { JobId, WorkerId } from '../../domain/ids.ts';
import {
  emptyReport,
  type AttemptReport,
  type Checkpoint,
  type Job,
  type JobStatus,
} from '../../domain/job.ts';
import { AppError } from '../../runtime/app-error.ts';

/** A row of `jobs`; what a CHECK or STRICT of the table guarantees needs no second check here. */
export interface JobRow {
  readonly no: number;
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly state: JobState;
  readonly priority: number;
  readonly attempt: number;
  readonly counted_attempts: number;
  readonly max_attempts: number;
  readonly run_at_ms: number;
  readonly created_at_ms: number;
  readonly started_at_ms: number | null;
  readonly finished_at_ms: number | null;
  readonly worker_id: string | null;
  readonly lease_until_ms: number | null;
  readonly last_seq: number;
  readonly cancel_requested: number;
  readonly idempotency_key: string | null;
  readonly retry_of: string | null;
  readonly failure: string | null;
  readonly checkpoint: string | null;
  readonly report: string | null;
  readonly input: string;
}

export function toJob(row: JobRow): Job {
  return {
    id: row.id as JobId,
    type: row.type,
    queue: row.queue,
    input: parseJson(row.input, row.id),
    priority: row.priority,
    idempotencyKey: row.idempotency_key,
    retryOf: row.retry_of as JobId | null,
    attempt: row.attempt,
    countedAttempts: row.counted_attempts,
    maxAttempts: row.max_attempts,
    status: toStatus(row),
    checkpoint: row.checkpoint === null ? null : (parseJson(row.checkpoint, row.id) as Checkpoint),
    report: row.report === null ? null : toReport(row.report, row.id),
    createdAtMs: row.created_at_ms,
    startedAtMs: row.started_at_ms,
  };
}

function toStatus(row: JobRow): JobStatus {
  const finishedAtMs = row.finished_at_ms ?? 0;
  switch (row.state) {
    case 'queued':
      return { state: 'queued', runAtMs: row.run_at_ms };
    case 'parked':
      return { state: 'parked', runAtMs: row.run_at_ms, failure: toFailure(row) };
    case 'running':
      return {
        state: 'running',
        workerId: row.worker_id as WorkerId,
        leaseUntilMs: row.lease_until_ms ?? 0,
        cancelRequested: row.cancel_requested === 1,
      };
    case 'succeeded':
      return { state: 'succeeded', finishedAtMs };
    case 'failed':
    case 'cancelled':
      return { state: row.state, finishedAtMs, failure: toFailure(row) };
  }
}

function toFailure(row: JobRow): Failure {
  return checked(failureSchema.safeParse(parseJson(row.failure ?? 'null', row.id)), row.id);
}

/** A report of an older version lacks what was added since. */
function toReport(json: string, jobId: string): AttemptReport {
  const stored = parseJson(json, jobId);
  const whole: unknown = typeof stored === 'object' ? { ...emptyReport, ...stored } : stored;
  return checked(attemptReportSchema.safeParse(whole), jobId);
}

/** JSON that this store wrote. Throws `store_corrupt` where it is not. */
export function parseJson(json: string, jobId: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (error) {
    throw corruptRow(jobId, error);
  }
}

export function checked<T>(
  result: { readonly success: true; readonly data: T } | { readonly success: false; readonly error: Error },
  jobId: string,
): T {
  if (!result.success) throw corruptRow(jobId, result.error);
  return result.data;
}

function corruptRow(jobId: string, cause: unknown): AppError {
  return new AppError('configuration', 'store_corrupt', `The stored record of job ${jobId} cannot be read.`, {
    hint: 'The database was changed from outside or is damaged; nothing was deleted. Restore a copy of it.',
    cause,
  });
}
