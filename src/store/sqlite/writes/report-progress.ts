import type { Lease } from '../../../domain/job.ts';
import type { LeaseState, ProgressReport } from '../../../domain/store.ts';
import type { Transaction } from '../group-writer.ts';
import type { Statements } from '../statements/index.ts';

/** False, and nothing stored, where the fence is old. */
export function reportProgress(
  sql: Statements,
  tx: Transaction,
  lease: Lease,
  { events, checkpoint }: ProgressReport,
): boolean {
  const room = sql.countEvents(lease, events.length);
  if (room === undefined) return false;
  const jobNo = room.no;
  let seq = room.last_seq - events.length;
  for (const event of events) {
    const body = JSON.stringify(event);
    seq += 1;
    sql.appendEvent({ jobNo, seq, attempt: lease.attempt, atMs: tx.nowMs, type: event.type, body });
  }
  if (checkpoint !== undefined) sql.saveCheckpoint(jobNo, JSON.stringify(checkpoint));
  if (events.length > 0) tx.ring('events');
  return true;
}

export function extendLease(sql: Statements, tx: Transaction, lease: Lease, leaseMs: number): LeaseState {
  const cancelRequested = sql.extendLease(lease, tx.nowMs + leaseMs);
  if (cancelRequested === undefined) return 'lost';
  return cancelRequested ? 'cancel_requested' : 'held';
}
