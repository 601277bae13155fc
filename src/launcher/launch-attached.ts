import type { AppError } from '../runtime/app-error.ts';
import { deferred } from '../runtime/wait.ts';
import type { Supervisor } from '../supervisor/supervisor-options.ts';
import { superviseWorker, type AttachedWorkerOptions } from './attached-worker.ts';

export interface LaunchAttachedOptions extends Omit<AttachedWorkerOptions, 'onStartFailed'> {
  /** How often a start is tried again. */
  readonly startRetries: number;
}

export interface AttachedLaunch {
  readonly supervisor: Supervisor<string>;
  /** The worker's id once it takes jobs; rejects with what its starts failed with. Stopping it is the caller's. */
  readonly ready: (signal: AbortSignal) => Promise<string>;
}

/** Room for the pauses between starts, however long the supervisor makes them. */
const pausesMs = 60_000;

/** Starts a worker that is kept alive, and gives it up where it does not get ready: at once where trying again would not help. */
export function launchAttached({ startRetries, ...options }: LaunchAttachedOptions): AttachedLaunch {
  const givenUp = deferred<never>();
  givenUp.promise.catch(() => undefined);
  const supervisor = superviseWorker({
    ...options,
    onStartFailed: (failures: number, why: AppError) => {
      if (why.kind !== 'infrastructure' || failures > startRetries) givenUp.reject(why);
    },
  });
  supervisor.start();
  // Each start has its own limit, and what they fail with says more than this one.
  const limitMs = (options.startLimitMs + options.leaveMs) * (startRetries + 1) + pausesMs;
  return {
    supervisor,
    ready: (signal) => Promise.race([supervisor.whenReady(signal, limitMs), givenUp.promise]),
  };
}
