import type { FinishResult, ProgressReport } from './store.ts';
import type { AttemptOutcome, ClaimedJob, Lease } from './job.ts';
import type { KeptLease } from './lease-keeper.ts';

/** How a worker gets its next job and says what became of it: the store, RabbitMQ or the environment. */
export interface JobSource extends AsyncDisposable {
  /** Waits for up to `slots` jobs; an empty list only when the signal aborts. */
  next(slots: number, signal: AbortSignal): Promise<readonly ClaimedJob[]>;
  /** Hands out the lease of a job that `next` gave, which is extended from the claim on until this is disposed. */
  keep(lease: Lease): KeptLease;
  /** False where the fence is old. */
  report(lease: Lease, report: ProgressReport): Promise<boolean>;
  finish(lease: Lease, outcome: AttemptOutcome): Promise<FinishResult>;
}
