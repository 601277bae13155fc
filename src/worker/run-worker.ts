import type { ClaimedJob, Job } from '../domain/job.ts';
import type { JobSource } from '../domain/job-source.ts';
import type { Logger } from '../domain/logger.ts';
import type { Runner } from '../domain/runner.ts';
import { AppError } from '../runtime/app-error.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { deferred, pause } from '../runtime/wait.ts';
import { createOutbox } from './outbox.ts';
import { runAttempt } from './run-attempt.ts';

/** After the grace, what an attempt gets to end its processes and the outbox to deliver. */
const leaveLimitMs = 10_000;
const claimBackoff = { initialMs: 100, maxMs: 5_000, jitter: 0.3 };

export interface WorkerOptions {
  readonly source: JobSource;
  readonly runners: readonly Runner[];
  /** Jobs at once, over all types. */
  readonly concurrency: number;
  readonly outboxDir: string;
  /** How long running jobs may go on after the drain began before they are handed back; `Infinity` lets them finish. */
  readonly drainGraceMs: number;
  readonly logger: Logger;
  /** Told when an attempt's end is stored, with the job as it was claimed; must not reject. */
  readonly onStored?: (job: Job) => Promise<void>;
  /** Told once an attempt that what it has to say cannot be stored for now. */
  readonly onTrouble?: ((job: Job, error: AppError) => void) | undefined;
  /** Told whenever the number of running jobs changes. */
  readonly onActiveJobs?: (count: number) => void;
}

/**
 * Takes jobs and runs them until `drain` aborts, then finishes or hands back what runs. Resolves when nothing of it is left.
 * The source and the runners are the caller's: it starts them before and disposes them after. `hurry` cuts the grace short.
 */
export async function runWorker(
  options: WorkerOptions,
  drain: AbortSignal,
  hurry?: AbortSignal,
): Promise<void> {
  const { source, concurrency, logger } = options;
  const leave = new AbortController();
  const giveUp = new AbortController();
  const deps = {
    source,
    runners: new Map(options.runners.map((runner) => [runner.type, runner])),
    outbox: createOutbox(options.outboxDir, source, logger),
    logger,
    onStored: options.onStored,
    onTrouble: options.onTrouble,
    leave: leave.signal,
    giveUp: giveUp.signal,
  };
  const active = new Set<Promise<void>>();
  let freed = deferred<void>();

  function start(claimed: ClaimedJob): void {
    const attempt = runAttempt(claimed, deps).finally(() => {
      active.delete(attempt);
      options.onActiveJobs?.(active.size);
      freed.resolve();
      freed = deferred<void>();
    });
    active.add(attempt);
    options.onActiveJobs?.(active.size);
  }

  drain.addEventListener(
    'abort',
    () => {
      freed.resolve();
    },
    { once: true },
  );
  await deps.outbox.resend();
  for (let failures = 0; !drain.aborted;) {
    if (active.size >= concurrency) {
      await freed.promise;
      continue;
    }
    try {
      for (const claimed of await source.next(concurrency - active.size, drain)) start(claimed);
      failures = 0;
    } catch (error) {
      failures += 1;
      logger.error({ err: error, failures }, 'No job could be claimed; trying again');
      await pause(backoffMs(failures, claimBackoff, Math.random()), drain);
    }
  }

  if (active.size > 0) logger.info({ activeJobs: active.size }, 'Draining: no new jobs are taken');
  using timers = new DisposableStack();
  const finished = Promise.all(active);
  const push = (): void => {
    leave.abort(
      new AppError('infrastructure', 'worker_draining', 'The worker is leaving and gave the job back.', {
        hint: 'Another worker goes on with it.',
      }),
    );
    const timer = setTimeout(() => {
      giveUp.abort();
    }, leaveLimitMs);
    timers.defer(() => {
      clearTimeout(timer);
    });
  };
  if (Number.isFinite(options.drainGraceMs)) {
    const timer = setTimeout(push, options.drainGraceMs);
    timers.defer(() => {
      clearTimeout(timer);
    });
  }
  if (hurry?.aborted === true) push();
  else hurry?.addEventListener('abort', push, { once: true });
  await finished;
}
