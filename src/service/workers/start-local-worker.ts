import type { BuildId, WorkerId } from '../../domain/ids.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import type { Logger } from '../../domain/logger.ts';
import type { Runner } from '../../domain/runner.ts';
import type { Store } from '../../domain/store.ts';
import type { ContainerIdentity, NewWorker } from '../../domain/worker.ts';
import { openStoreJobSource } from '../../queue/store-job-source.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { AppError } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import { currentProcessIdentity } from '../../runtime/process-identity.ts';
import { runWorker } from '../../worker/run-worker.ts';
import type { Containers } from '../fleet/containers.ts';
import { finishDeletions } from '../jobs/delete-jobs.ts';
import { every } from '../every.ts';
import { sweepScratch } from './own-scratch.ts';
import { outboxDir, reap } from './reap.ts';
import { sweepJobs } from '../jobs/sweep-jobs.ts';
import { toolQueue } from './tool-queue.ts';

/** How often a worker looks for the dead among the others; only a net, whoever sees a death reaps at once. */
const reapEveryMs = 2_000;
/** Jobs may end while no worker is there to clean up after them: a cancelled one that waited to be resumed, for instance. */
const sweepEveryMs = 300_000;

export interface LocalWorkerOptions {
  readonly store: Store;
  readonly dataDir: string;
  readonly runners: readonly Runner[];
  readonly concurrency: number;
  /** What its launcher calls it. */
  readonly name?: string | null;
  /** The build that it serves alone. */
  readonly buildId?: BuildId | null;
  readonly mode?: NewWorker['mode'];
  /** The container that it runs in. */
  readonly container?: ContainerIdentity | null;
  readonly containers?: Containers | undefined;
  /** What its jobs are made with, where that is not what its runners say: an image. */
  readonly tool?: string | null;
  readonly leaseMs: number;
  /** `Infinity`: running jobs are finished, however long they take. */
  readonly drainGraceMs: number;
  readonly logger: Logger;
  /** Told once an attempt that what it has to say cannot be stored for now. */
  readonly onTrouble?: ((job: Job, error: AppError) => void) | undefined;
}

export interface LocalWorker {
  readonly id: WorkerId;
  /** Resolves when the worker has drained and nothing of it is left; rejects when it had to stop by a fault. */
  readonly stopped: Promise<void>;
}

/**
 * Starts a worker in this process: its runners get ready, it registers, takes the jobs of the dead back and begins to serve.
 * Resolves when it serves. `drain` stops it; `hurry` ends the drain's grace. Rejects with what a runner's `start` says.
 */
export async function startLocalWorker(
  options: LocalWorkerOptions,
  drain: AbortSignal,
  hurry?: AbortSignal,
): Promise<LocalWorker> {
  const { store, runners } = options;
  const id = newId() as WorkerId;
  const logger = options.logger.child({ workerId: id });
  await using opening = new AsyncDisposableStack();
  for (const runner of runners) opening.use(runner);
  await Promise.all(runners.map((runner) => runner.start(drain)));
  const types = runners.map(({ type }) => type);
  const queues = runners.flatMap(({ type, tool: own }) => {
    const tool = options.tool ?? own;
    return tool === undefined ? [type] : [type, toolQueue(type, tool)];
  });
  const registration: NewWorker = {
    id,
    types,
    queues,
    mode: options.mode ?? 'direct',
    process: currentProcessIdentity(),
    concurrency: options.concurrency,
    name: options.name ?? null,
    buildId: options.buildId ?? null,
    container: options.container ?? null,
  };
  await forgetEarlierLives(store, registration, logger);
  await store.registerWorker(registration);
  opening.defer(async () => {
    await store.removeWorker(id).catch((error: unknown) => {
      logger.warn({ err: error }, 'Could not sign off; this worker will be found dead');
    });
  });
  const reaping = { store, logger, dataDir: options.dataDir, containers: options.containers };
  const sweep = async (): Promise<void> => {
    await sweepJobs({ ...reaping, runners, clock: systemClock });
    await sweepScratch(options.dataDir);
    await finishDeletions({ store, dataDir: options.dataDir, clock: systemClock });
  };
  await reap(reaping);
  await sweep();
  const onForgotten = (): void => {
    logger.warn({}, 'This worker was taken for dead; registering again');
    store
      .registerWorker(registration)
      .then(() => store.updateWorker(id, 'ready'))
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'Could not register again');
      });
  };
  const source = opening.use(
    openStoreJobSource({
      store,
      workerId: id,
      types,
      queues,
      buildId: options.buildId ?? null,
      leaseMs: options.leaseMs,
      onForgotten,
    }),
  );
  await store.updateWorker(id, 'ready');
  const startedAtMs = systemClock();
  const { mode, name } = registration;
  logger.info({ types, mode, name, concurrency: options.concurrency }, 'Worker ready');

  const held = opening.move();
  const onError = (error: unknown): void => {
    logger.warn({ err: error }, 'Could not look for what dead workers left');
  };
  const takeOver = async (): Promise<void> => {
    // A job that is taken from the dead may have ended by that.
    if (await reap(reaping)) await sweep();
  };
  held.use(every(reapEveryMs, takeOver, onError));
  held.use(every(sweepEveryMs, sweep, onError));
  const onDrain = (): void => {
    store.updateWorker(id, 'draining').catch((error: unknown) => {
      logger.warn({ err: error }, 'Could not say that the worker drains');
    });
  };
  drain.addEventListener('abort', onDrain, { once: true });

  async function serve(): Promise<void> {
    await using _held = held;
    const discard = discardEnded(store, runners, logger);
    let jobsProcessed = 0;
    const onStored = async (job: Job): Promise<void> => {
      jobsProcessed += 1;
      await discard(job);
    };
    await runWorker(
      { ...options, source, logger, outboxDir: outboxDir(options.dataDir), onStored },
      drain,
      hurry,
    );
    // Who started this worker may have been killed, and nobody else may come for what it left.
    await sweepScratch(options.dataDir).catch(onError);
    const uptimeMs = systemClock() - startedAtMs;
    logger.info({ reason: describeReason(drain.reason), jobsProcessed, uptimeMs }, 'Worker stopped');
  }
  return { id, stopped: serve() };
}

/** One container runs one worker: whoever is registered with this one's id lived before it was started again. */
async function forgetEarlierLives(store: Store, { container }: NewWorker, logger: Logger): Promise<void> {
  if (container === null || container === undefined) return;
  for (const earlier of await store.listWorkers()) {
    if (earlier.container?.id !== container.id) continue;
    const jobs = await store.removeWorker(earlier.id);
    logger.warn(
      { earlier: earlier.id, jobs },
      'This container was started again; its jobs are back in the queue',
    );
  }
}

function describeReason(reason: unknown): string {
  if (typeof reason === 'string') return reason;
  return reason instanceof Error ? reason.message : 'it was told to stop';
}

/** After a job's end is stored, its runner may give back what only another attempt would have needed. */
function discardEnded(store: Store, runners: readonly Runner[], logger: Logger): (job: Job) => Promise<void> {
  const byType = new Map(runners.map((runner) => [runner.type, runner]));
  return async ({ id, type }) => {
    const runner = byType.get(type);
    if (runner?.discard === undefined) return;
    try {
      const job = await store.getJob(id);
      if (job !== null && isTerminal(job.status.state)) await runner.discard(job);
    } catch (error) {
      logger.warn({ err: error, jobId: id }, 'What an ended job left could not be removed');
    }
  };
}
