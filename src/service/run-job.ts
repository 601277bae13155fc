import type { JobEvent } from '../contract/event.ts';
import { submitJobSchema, type SubmitJob } from '../contract/job.ts';
import { isTerminal, type Job } from '../domain/job.ts';
import { AppError } from '../runtime/app-error.ts';
import { cancelJob } from './cancel-job.ts';
import { findJob } from './find-job.ts';
import { followEvents } from './follow-events.ts';
import { isServing, seeWorkers } from './list-workers.ts';
import type { Capstan } from './open-capstan.ts';
import { reap } from './reap.ts';
import { startCodexWorker } from './start-codex-worker.ts';
import type { LocalWorker } from './start-local-worker.ts';
import { submitJob } from './submit-job.ts';

/** Somebody waits for this job: it goes before what lies in the queue. */
const priority = 10;
const lookEveryMs = 5_000;
/** The one type that `run` knows. */
const jobType = 'codex';

export interface RunJobOptions {
  /** Aborts when the user wants to stop: the job is cancelled, and its end awaited. */
  readonly interrupted: AbortSignal;
  /** How long a parked job may be waited for, milliseconds. */
  readonly waitLimitMs: number;
  readonly onEvent: (event: JobEvent) => void;
  /** Told what happens besides the job itself. */
  readonly onNote: (text: string) => void;
}

/**
 * Submits a job and waits for its end, with a worker of its own in this process where no other one is alive.
 * The job that is given back has ended, or is parked beyond `waitLimitMs`. What this worker took besides is finished before.
 */
export async function runJob(
  capstan: Capstan,
  request: Pick<SubmitJob, 'type' | 'input'> & Partial<SubmitJob>,
  options: RunJobOptions,
): Promise<Job> {
  const { store, config } = capstan;
  const { interrupted } = options;
  await reap({ ...capstan, dataDir: config.dataDir });
  await using own = ownWorker(capstan, interrupted, options.onNote);
  await own.ensure();
  const { job } = await submitJob(capstan, submitJobSchema.parse({ priority, ...request }));

  const cancelled = cancelOn(interrupted, capstan, job);
  const givenUp = new AbortController();
  const look = setInterval(() => {
    own.ensure().catch((error: unknown) => {
      givenUp.abort(error);
    });
  }, lookEveryMs);
  own.failed.catch((error: unknown) => {
    givenUp.abort(error);
  });
  try {
    for await (const event of followEvents(store, job.id, {
      afterSeq: 0,
      follow: true,
      signal: givenUp.signal,
    })) {
      options.onEvent(event);
      if (event.type === 'job.parked' && Date.parse(event.until) - capstan.clock() > options.waitLimitMs)
        break;
    }
  } finally {
    clearInterval(look);
  }
  await cancelled();
  const ended = await findJob(store, job.id);
  if (givenUp.signal.aborted && !isTerminal(ended.status.state)) throw givenUp.signal.reason;
  return ended;
}

interface OwnWorker extends AsyncDisposable {
  /** Starts it if no worker for the job is alive. */
  ensure(): Promise<void>;
  /** Rejects when it had to stop by a fault. */
  readonly failed: Promise<never>;
}

function ownWorker(capstan: Capstan, interrupted: AbortSignal, note: (text: string) => void): OwnWorker {
  const drain = new AbortController();
  const hurry = new AbortController();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  let starting: Promise<LocalWorker> | null = null;

  async function someoneServes(): Promise<boolean> {
    // Those of a build serve it alone.
    return (await seeWorkers(capstan)).some(
      ({ worker, status }) => worker.buildId === null && worker.types.includes(jobType) && isServing(status),
    );
  }

  return {
    failed: failure.promise,
    async ensure() {
      if (starting !== null || (await someoneServes())) return;
      starting = startCodexWorker(
        capstan,
        { drainGraceMs: Infinity },
        { drain: drain.signal, hurry: hurry.signal },
      );
      const worker = await starting;
      worker.stopped.catch(failure.reject);
    },
    async [Symbol.asyncDispose]() {
      drain.abort(
        new AppError('infrastructure', 'worker_draining', 'The command that started this worker has ended.'),
      );
      const worker = await starting?.catch(() => null);
      if (worker === undefined || worker === null) return;
      const leave = (): void => {
        hurry.abort();
      };
      if (interrupted.aborted) leave();
      else interrupted.addEventListener('abort', leave, { once: true });
      const waiting = setTimeout(() => {
        note('Finishing jobs that an earlier run left; press Ctrl-C to leave them queued.');
      }, 1_000);
      await worker.stopped.catch(() => undefined);
      clearTimeout(waiting);
      interrupted.removeEventListener('abort', leave);
    },
  };
}

/** Cancels the job when the signal aborts; the function given back waits until that is stored. */
function cancelOn(interrupted: AbortSignal, { store, logger }: Capstan, job: Job): () => Promise<void> {
  let cancelling: Promise<void> = Promise.resolve();
  const cancel = (): void => {
    cancelling = cancelJob(store, job.id).then(
      () => undefined,
      (error: unknown) => {
        // It ended in the same moment.
        logger.debug({ err: error, jobId: job.id }, 'Nothing to cancel');
      },
    );
  };
  if (interrupted.aborted) cancel();
  else interrupted.addEventListener('abort', cancel, { once: true });
  return async () => {
    interrupted.removeEventListener('abort', cancel);
    await cancelling;
  };
}
