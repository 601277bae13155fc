import type { JobId } from '../../../domain/ids.ts';
import type { ClaimedJob } from '../../../domain/job.ts';
import type { ClaimRequest } from '../../../domain/store.ts';
import type { Transaction } from '../group-writer.ts';
import { toJob, type JobRow } from '../job-row.ts';
import type { Statements } from '../statements/index.ts';

export function claimJobs(sql: Statements, tx: Transaction, request: ClaimRequest): ClaimedJob[] {
  const { nowMs } = tx;
  const { workerId, limit, leaseMs } = request;
  const who = {
    workerId,
    types: JSON.stringify(request.types),
    queues: JSON.stringify(request.queues),
    nowMs,
  };
  const buildId = request.buildId ?? null;
  const waiters = 1 + sql.countWaiters({ ...who, buildId });
  const rows =
    buildId === null
      ? sql.claim({ ...who, limit, leaseMs, waiters })
      : sql.buildClaim({ ...who, limit, leaseMs, waiters, buildId });
  if (rows.length > 0) tx.ring('events');
  return rows.map((row) => {
    sql.startAttempt({ jobNo: row.no, attempt: row.attempt, workerId, nowMs, startedSeq: row.last_seq });
    return toClaimed(row, request);
  });
}

function toClaimed(row: JobRow, { workerId }: ClaimRequest): ClaimedJob {
  return { job: toJob(row), lease: { jobId: row.id as JobId, attempt: row.attempt, workerId } };
}
