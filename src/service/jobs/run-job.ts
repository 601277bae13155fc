import type { JobEvent } from '../../contract/event.ts';
import { submitJobSchema, type SubmitJob } from '../../contract/job.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import { AppError, toFailure } from '../../runtime/app-error.ts';
import { cancelJob } from './cancel-job.ts';
import { findJob } from './find-job.ts';
import { followEvents } from './follow-events.ts';
import type { Capstan } from '../open-capstan.ts';
import { localWorker, type OwnWorker } from '../workers/own-worker.ts';
import { reap } from '../workers/reap.ts';
import { submitJob } from './submit-job.ts';

/** Somebody waits for this job: it goes before what lies in the queue. */
const priority = 10;
const lookEveryMs = 5_000;
/** Nobody took the work back: the terminal was closed. */
const hangUp = 'SIGHUP';

export interface RunJobOptions {
  /** Aborts when the user wants to stop: the job is cancelled, and its end awaited. With SIGHUP the job is left to go on, with another worker or later. */
  readonly interrupted: AbortSignal;
  /** How long a parked job may be waited for, milliseconds. */
  readonly waitLimitMs: number;
  readonly onEvent: (event: JobEvent) => void;
  /** Told what happens besides the job itself. */
  readonly onNote: (text: string) => void;
  /** The worker for this job where no other one is alive, instead of one in this process. */
  readonly own?: OwnWorker | null;
}

/**
 * Submits a job and waits for its end, with a worker of its own where no other one is alive.
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
  await using own = options.own ?? localWorker(capstan, interrupted, options.onNote);
  const left = new AbortController();
  await own.ensure();
  const { job } = await submitJob(capstan, submitJobSchema.parse({ priority, ...request }));

  const cancelled = cancelOn(interrupted, async () => {
    if (interrupted.reason === hangUp) {
      await own.leave();
      left.abort();
      return;
    }
    await cancelOrLeave(capstan, job, { own, note: options.onNote, left });
  });
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
      signal: AbortSignal.any([givenUp.signal, left.signal]),
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

/** Calls `cancel` once when the signal aborts; the function given back waits until that is done. */
function cancelOn(interrupted: AbortSignal, cancel: () => Promise<void>): () => Promise<void> {
  let cancelling: Promise<void> = Promise.resolve();
  const begin = (): void => {
    cancelling = cancel();
  };
  if (interrupted.aborted) begin();
  else interrupted.addEventListener('abort', begin, { once: true });
  return async () => {
    interrupted.removeEventListener('abort', begin);
    await cancelling;
  };
}

interface Leaving {
  readonly own: OwnWorker;
  readonly note: (text: string) => void;
  /** Aborted where the job could not be cancelled: nobody waits for its end then. */
  readonly left: AbortController;
}

/** Cancels the job. Where that cannot be stored, the worker of this process leaves it, which may make room; then it is tried once more. */
async function cancelOrLeave(
  { store, logger }: Pick<Capstan, 'store' | 'logger'>,
  { id }: Job,
  { own, note, left }: Leaving,
): Promise<void> {
  try {
    await cancelJob(store, id);
    return;
  } catch (error) {
    // It ended in the same moment.
    if (isEnded(error)) return;
    logger.debug({ err: error, jobId: id }, 'The job could not be cancelled');
    note(`The job cannot be cancelled: ${toFailure(error).message} Leaving it.`);
  }
  await own.leave();
  try {
    if (isTerminal((await cancelJob(store, id)).status.state)) return;
    // Its attempt could not be reported, so it has a worker by name only.
    note(`Job ${id} is cancelled as soon as a worker looks at it.`);
    left.abort();
  } catch (error) {
    if (isEnded(error)) return;
    note(
      `Job ${id} stays in the store and goes on with the next worker, unless you cancel it then: capstan jobs cancel ${id}`,
    );
    left.abort(error);
  }
}

function isEnded(error: unknown): boolean {
  return error instanceof AppError && error.code === 'job_ended';
}
