import type { JobEventBody } from '../../../contract/event.ts';
import type { Failure } from '../../../contract/failure.ts';
import type { JobId } from '../../../domain/ids.ts';
import { emptyReport, type AttemptOutcome, type Lease } from '../../../domain/job.ts';
import { nextState, type JobStateEvent } from '../../../domain/job-state.ts';
import { nextStatus, type NextStatus } from '../../../domain/next-status.ts';
import type { FinishResult } from '../../../domain/store.ts';
import { AppError } from '../../../runtime/app-error.ts';
import { toIso } from '../../../runtime/clock.ts';
import type { Transaction } from '../group-writer.ts';
import type { Statements } from '../statements/index.ts';
import type { AttemptEnding } from '../statements/attempt.ts';
import type { EndableRow } from '../statements/end-job.ts';

type Status = NextStatus['status'];

const eventTo: Readonly<Record<Status['state'], JobStateEvent>> = {
  queued: 'requeue',
  parked: 'park',
  succeeded: 'succeed',
  failed: 'fail',
  cancelled: 'cancel',
};

/** Ends the attempt that the lease names, if it is the job's live one. */
export function finishAttempt(
  sql: Statements,
  tx: Transaction,
  lease: Lease,
  outcome: AttemptOutcome,
): FinishResult {
  const row = sql.endable(lease.jobId);
  if (row === undefined) return 'refused';
  if (row.state === 'running' && row.attempt === lease.attempt && row.worker_id === lease.workerId) {
    endAttempt(sql, tx, row, { outcome, ending: outcome.kind });
    sql.countProcessed(lease.workerId);
    return 'applied';
  }
  const ending = sql.attemptEnding(row.no, lease.attempt, lease.workerId) ?? 'lost';
  return ending === 'lost' ? 'refused' : 'repeated';
}

/** Ends the live attempts of workers that are taken for dead. */
export function loseAttempts(sql: Statements, tx: Transaction, rows: readonly EndableRow[]): JobId[] {
  return rows.map((row) => {
    const failure = {
      kind: 'lost',
      code: 'worker_lost',
      message: `Worker ${row.worker_id ?? ''} died or stopped responding during attempt ${row.attempt}.`,
      hint: 'The log of that worker says more; a job whose attempts are used up can be tried again with `capstan jobs retry`.',
    } as const;
    endAttempt(sql, tx, row, { outcome: { kind: 'failed', failure, report: emptyReport }, ending: 'lost' });
    tx.ring('jobs');
    return row.id as JobId;
  });
}

interface Ended {
  readonly outcome: AttemptOutcome;
  readonly ending: AttemptEnding;
}

function endAttempt(sql: Statements, tx: Transaction, row: EndableRow, { outcome, ending }: Ended): void {
  const { nowMs } = tx;
  const { no, attempt } = row;
  const { status, counted } = nextStatus(
    {
      countedAttempts: row.counted_attempts,
      maxAttempts: row.max_attempts,
      cancelRequested: row.cancel_requested === 1,
    },
    outcome,
    { ms: nowMs, random: Math.random() },
  );
  // A dead attempt reports nothing; what the one before found out stays.
  const report = ending === 'lost' || !('report' in outcome) ? null : outcome.report;
  endJob(sql, row, { status, counted, report: report === null ? null : JSON.stringify(report) });
  const failure = 'failure' in outcome ? outcome.failure : undefined;
  sql.endAttempt({
    jobNo: no,
    attempt,
    nowMs,
    outcome: ending,
    resumed: report?.resumed ?? null,
    failure: failure === undefined ? null : JSON.stringify(failure),
  });
  const event = eventOf(status, failure);
  if (event !== null) {
    const body = JSON.stringify(event);
    sql.appendEvent({ jobNo: no, seq: row.last_seq + 1, attempt, atMs: nowMs, type: event.type, body });
  }
  tx.ring('events');
  if ('runAtMs' in status) tx.ring('jobs');
}

interface Ending extends NextStatus {
  /** JSON. */
  readonly report: string | null;
}

/** The one way out of an attempt or the queue: writes only what the table of states allows. */
export function endJob(sql: Statements, row: EndableRow, { status, counted, report }: Ending): void {
  const to = status.state;
  const allowed = nextState(row.state, eventTo[to]) === to;
  const ended =
    allowed &&
    sql.endJob({
      no: row.no,
      from: row.state,
      attempt: row.attempt,
      to,
      counted: counted ? 1 : 0,
      runAtMs: 'runAtMs' in status ? status.runAtMs : null,
      finishedAtMs: 'finishedAtMs' in status ? status.finishedAtMs : null,
      failure: 'failure' in status ? JSON.stringify(status.failure) : null,
      report,
    });
  if (!ended) {
    throw new AppError(
      'infrastructure',
      'illegal_transition',
      `Job ${row.id} cannot go from ${row.state} to ${to}.`,
      {
        hint: 'This is a fault in Capstan; the job was left as it was.',
      },
    );
  }
}

/** Null where the job has ended: its own row says so. */
function eventOf(status: Status, failure: Failure | undefined): JobEventBody | null {
  if (status.state === 'queued') {
    return {
      type: 'job.requeued',
      ...(failure === undefined ? {} : { failure }),
      runAt: toIso(status.runAtMs),
    };
  }
  if (status.state === 'parked') {
    return { type: 'job.parked', failure: status.failure, until: toIso(status.runAtMs) };
  }
  return null;
}
