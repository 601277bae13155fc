import type { WorkerId } from './ids.ts';
import type { Lease } from './job.ts';

/** A lease kept alive by something that the job cannot block, until disposed. */
export interface KeptLease extends AsyncDisposable {
  /** Aborts when the job should stop: its reason is an AppError of kind `cancelled` (asked for) or `lost` (another attempt has it). */
  readonly signal: AbortSignal;
}

export interface KeepLeasesOptions {
  readonly workerId: WorkerId;
  /** How long a lease lasts without a heartbeat; heartbeats come every third of it. */
  readonly leaseMs: number;
  /** Heartbeats stop when the main thread has not run for this long, so that a hung worker loses its jobs. */
  readonly hungAfterMs: number;
  /** Called when the worker's row is gone: it was taken for dead and must register again. */
  readonly onForgotten: () => void;
}

/**
 * Heartbeats of one worker, from a thread that the jobs' code cannot block. The store offers it because only the store knows how a
 * second thread reaches the database. Also says that the worker lives, with or without jobs, until disposed.
 */
export interface LeaseKeeper extends AsyncDisposable {
  /** Starts heartbeats for all leases of a claim, before the code of the first of its jobs can block this thread. `keep` hands each out. */
  hold(leases: readonly Lease[]): void;
  keep(lease: Lease): KeptLease;
  /** Stops heartbeats for a lease whose attempt has ended, without aborting its signal. */
  release(lease: Lease): void;
}
