import type { Job } from '../../../domain/job.ts';
import type { NewJob } from '../../../domain/store.ts';
import type { Transaction } from '../group-writer.ts';
import { toJob } from '../job-row.ts';
import type { Statements } from '../statements/index.ts';

export interface Submitted {
  readonly job: Job;
  readonly created: boolean;
}

/** @param input the job's input as JSON */
export function submitJob(sql: Statements, tx: Transaction, job: NewJob, input: string): Submitted {
  const known = job.idempotencyKey === null ? undefined : sql.jobByKey(job.idempotencyKey);
  const buildId = job.buildId ?? null;
  if (known !== undefined && buildId !== null) {
    sql.wantJob(buildId, known.no);
    // Workers of that build alone may take it now.
    tx.ring('jobs');
  }
  if (known !== undefined) return { job: toJob(known), created: false };
  const jobNo = sql.insertJob(job, input, tx.nowMs);
  if (buildId !== null) sql.wantJob(buildId, jobNo);
  tx.ring('jobs');
  tx.ring('events');
  const { runAtMs, buildId: _buildId, ...rest } = job;
  return {
    job: {
      ...rest,
      attempt: 0,
      countedAttempts: 0,
      status: { state: 'queued', runAtMs: runAtMs ?? tx.nowMs },
      checkpoint: null,
      report: null,
      createdAtMs: tx.nowMs,
      startedAtMs: null,
    },
    created: true,
  };
}
