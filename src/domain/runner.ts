import type { JobEventBody } from '../contract/event.ts';
import type { AttemptOutcome, Checkpoint, ClaimedJob, Job } from './job.ts';

export interface RunContext {
  /** Aborts when the attempt must stop: reason is an AppError of kind `cancelled`, `lost`, `timeout`, or `infrastructure` with code `worker_draining`. */
  readonly signal: AbortSignal;
  /** Streams an event to the store, in order, without waiting; a runner may emit thousands. */
  emit(event: JobEventBody): void;
  /** Resolves when the checkpoint is stored: what follows may rely on it after a crash. Rejects with kind `lost` where the fence is old. */
  saveCheckpoint(checkpoint: Checkpoint): Promise<void>;
}

/** The code that carries out one job type. */
export interface Runner extends AsyncDisposable {
  readonly type: string;
  /** What makes its results, by name and version. */
  readonly tool?: string;
  /** Gets ready to take jobs (starts what stays warm, checks tools). Rejects with kind `configuration` or `auth` where no job could run. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Carries out one attempt. A job's own failure is an outcome; a rejection is taken as a failure of our side.
   * When `context.signal` aborts it ends what the attempt started, all of it, and then resolves.
   */
  run(claimed: ClaimedJob, context: RunContext): Promise<AttemptOutcome>;
  /** Frees the disk space of an attempt that has ended but whose outcome cannot be stored for want of room: another attempt then starts clean. */
  giveBack?(job: Job): Promise<void>;
  /** Gives back what only a later attempt would have needed. Called when the job has ended and that is stored; may be called twice, or never. */
  discard?(job: Job): Promise<void>;
}
