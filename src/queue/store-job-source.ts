import type { BuildId, WorkerId } from '../domain/ids.ts';
import type { JobSource } from '../domain/job-source.ts';
import type { Store } from '../domain/store.ts';
import { systemClock } from '../runtime/clock.ts';
import { createDoorbell } from './doorbell.ts';

export interface StoreJobSourceOptions {
  readonly store: Store;
  readonly workerId: WorkerId;
  readonly types: readonly string[];
  readonly queues: readonly string[];
  /** The build that this worker serves alone. */
  readonly buildId?: BuildId | null;
  /** How long a claimed job stays this worker's without a heartbeat. */
  readonly leaseMs?: number;
  /** A worker whose main thread has not run for this long loses its jobs. */
  readonly hungAfterMs?: number;
  /** Called when the store has taken this worker for dead: it must register again. */
  readonly onForgotten?: () => void;
}

const defaultLeaseMs = 30_000;
const defaultHungAfterMs = 10 * 60_000;
/** Only a net under the bell: a lost wake-up costs this much and no more. */
const safetyPollMs = 5_000;

/** Jobs straight from the store. Starts the worker's heartbeats; the store stays the caller's, who disposes it after this. */
export function openStoreJobSource(options: StoreJobSourceOptions): JobSource {
  const { store, workerId, types, queues, leaseMs = defaultLeaseMs } = options;
  const buildId = options.buildId ?? null;
  const bell = createDoorbell((listener) => store.subscribe('jobs', listener));
  const keeper = store.keepLeases({
    workerId,
    leaseMs,
    hungAfterMs: options.hungAfterMs ?? defaultHungAfterMs,
    onForgotten: options.onForgotten ?? (() => undefined),
  });

  return {
    async next(slots, signal) {
      while (!signal.aborted) {
        // Listening before looking: what is committed after the look rings.
        const ring = bell.listen();
        const jobs = await store.claimJobs({ workerId, types, queues, limit: slots, leaseMs, buildId });
        if (jobs.length > 0) {
          keeper.hold(jobs.map(({ lease }) => lease));
          return jobs;
        }
        const dueAtMs = await store.nextDueAt({ types, queues, buildId });
        const untilDueMs = dueAtMs === null ? safetyPollMs : Math.max(1, dueAtMs - systemClock());
        await ring.wait(Math.min(untilDueMs, safetyPollMs), signal);
      }
      return [];
    },
    keep: (lease) => keeper.keep(lease),
    report: (lease, report) => store.reportProgress(lease, report),
    async finish(lease, outcome) {
      const result = await store.finishAttempt(lease, outcome);
      // At once, before a heartbeat or the bell takes the ended attempt for a lost one.
      keeper.release(lease);
      return result;
    },
    async [Symbol.asyncDispose]() {
      bell[Symbol.dispose]();
      await keeper[Symbol.asyncDispose]();
    },
  };
}
