import type { BuildId, JobId } from '../../domain/ids.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import type { Store } from '../../domain/store.ts';
import { AppError } from '../../runtime/app-error.ts';
import { deferred, pause, type Deferred } from '../../runtime/wait.ts';

/** Only a net under the bell: a lost wake-up costs this much and no more. */
const safetyPollMs = 2_000;
/** Thousands of jobs ring often: looking for them all is done so often at most. */
const restMs = 20;
/** A job that is parked for longer is not waited for. */
const parkedLimitMs = 600_000;

/** Waits for the jobs that one build wants. */
export interface JobWatch extends AsyncDisposable {
  /** The job when it has ended, or is parked for long. Rejects when the watch ends. */
  ended(id: JobId): Promise<Job>;
}

export function watchJobs(store: Store, buildId: BuildId, now: () => number): JobWatch {
  const waiting = new Map<JobId, Deferred<Job>>();
  const over = new AbortController();
  let bell = new AbortController();
  const unsubscribe = store.subscribe('events', () => {
    bell.abort();
  });

  async function look(): Promise<void> {
    for (const { id, state } of await store.listBuildJobs(buildId)) {
      const waiter = waiting.get(id);
      if (waiter === undefined || (!isTerminal(state) && state !== 'parked')) continue;
      const job = await store.getJob(id);
      if (job === null) continue;
      const parked = job.status.state === 'parked' && job.status.runAtMs - now() > parkedLimitMs;
      if (!parked && !isTerminal(job.status.state)) continue;
      waiting.delete(id);
      waiter.resolve(job);
    }
  }

  async function run(): Promise<void> {
    while (!over.signal.aborted) {
      bell = new AbortController();
      if (waiting.size > 0) await look();
      await pause(restMs, over.signal);
      await pause(safetyPollMs, AbortSignal.any([bell.signal, over.signal]));
    }
  }

  const fail = (error: unknown): void => {
    for (const waiter of waiting.values()) waiter.reject(error);
    waiting.clear();
  };
  const running = run().catch(fail);

  return {
    ended(id) {
      const waiter = waiting.get(id) ?? deferred<Job>();
      waiting.set(id, waiter);
      bell.abort();
      return waiter.promise;
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      unsubscribe();
      await running;
      fail(new AppError('cancelled', 'build_ended', 'The build has ended.'));
    },
  };
}
