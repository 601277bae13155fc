import { cancelledFailure } from '../../../domain/next-status.ts';
import { isTerminal } from '../../../domain/job.ts';
import type { Transaction } from '../group-writer.ts';
import type { Statements } from '../statements/index.ts';
import { endJob } from './end-attempt.ts';

/** False where there is no such job. */
export function cancelJob(sql: Statements, tx: Transaction, id: string): boolean {
  const row = sql.endable(id);
  if (row === undefined) return false;
  if (isTerminal(row.state) || row.cancel_requested === 1) return true;
  if (row.state === 'running') {
    sql.requestCancel(row.no);
    sql.appendEvent({
      jobNo: row.no,
      seq: row.last_seq + 1,
      attempt: row.attempt,
      atMs: tx.nowMs,
      type: 'job.cancel_requested',
      body: null,
    });
    tx.ring('jobs');
  } else {
    const status = { state: 'cancelled', finishedAtMs: tx.nowMs, failure: cancelledFailure } as const;
    endJob(sql, row, { status, counted: false, report: null });
  }
  tx.ring('events');
  return true;
}
