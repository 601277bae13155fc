import type { FinishResult, ProgressReport } from './store.ts';
import type { AttemptOutcome, ClaimedJob, Lease } from './job.ts';

/** A lease kept alive by something that the job cannot block, until disposed. */
export interface KeptLease extends AsyncDisposable {
  /** Aborts when the job should stop: its reason is an AppError of kind `cancelled` (asked for) or `lost` (another attempt has it). */
  readonly signal: AbortSignal;
}

/** How a worker gets its next job and says what became of it: the store, RabbitMQ or the environment. */
export interface JobSource extends AsyncDisposable {
  /** Waits for up to `slots` jobs; an empty list only when the signal aborts. */
  next(slots: number, signal: AbortSignal): Promise<readonly ClaimedJob[]>;
  /** Starts heartbeats for a claimed job. */
  keep(lease: Lease): KeptLease;
  /** False where the fence is old. */
  report(lease: Lease, report: ProgressReport): Promise<boolean>;
  finish(lease: Lease, outcome: AttemptOutcome): Promise<FinishResult>;
}
