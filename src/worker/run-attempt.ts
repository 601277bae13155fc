import { emptyReport, type AttemptOutcome, type ClaimedJob, type Job } from '../domain/job.ts';
import type { JobSource } from '../domain/job-source.ts';
import type { Logger } from '../domain/logger.ts';
import type { Runner } from '../domain/runner.ts';
import { AppError, toFailure } from '../runtime/app-error.ts';
import { createAttemptTrouble } from './attempt-trouble.ts';
import type { Outbox } from './outbox.ts';
import { createProgressReporter } from './progress-reporter.ts';

export interface AttemptDeps {
  readonly source: JobSource;
  readonly runners: ReadonlyMap<string, Runner>;
  readonly outbox: Outbox;
  readonly logger: Logger;
  /** Told when an attempt's end is stored, with the job as it was claimed; must not reject. */
  readonly onStored?: ((job: Job) => Promise<void>) | undefined;
  /** Told once an attempt that what it has to say cannot be stored for now. */
  readonly onTrouble?: ((job: Job, error: AppError) => void) | undefined;
  /** Aborts when the worker must leave and the attempt has had its grace. */
  readonly leave: AbortSignal;
  /** Aborts when even reporting has had its time. */
  readonly giveUp: AbortSignal;
}

/** One attempt from claim to report, under a lease kept alive all the while. Never rejects: what goes wrong is the attempt's outcome. */
export async function runAttempt(claimed: ClaimedJob, deps: AttemptDeps): Promise<void> {
  const { job, lease } = claimed;
  const logger = deps.logger.child({ jobId: job.id, attempt: lease.attempt, type: job.type });
  const startedAtMs = performance.now();
  await using kept = deps.source.keep(lease);
  const runner = deps.runners.get(job.type);
  const trouble = createAttemptTrouble({ job, runner, logger, onTrouble: deps.onTrouble });
  using reporter = createProgressReporter(deps.source, lease, trouble);
  const signal = AbortSignal.any([kept.signal, reporter.signal, deps.leave]);
  logger.debug({}, 'Attempt started');

  const outcome = await runToOutcome(claimed, runner, { signal, reporter }, logger);
  trouble.ended();
  if (isLost(signal)) {
    logger.warn({}, 'The lease went to another attempt; this one reports nothing');
    return;
  }
  const until = { leave: deps.leave, giveUp: deps.giveUp, onFailure: trouble.failed };
  const result = await deps.outbox.deliver({ lease, outcome }, reporter.flush(), until);
  const fields = { outcome: outcome.kind, result, durationMs: Math.round(performance.now() - startedAtMs) };
  if (result === 'refused') logger.warn(fields, 'The outcome was refused: another attempt has the job');
  else logger.debug(fields, 'Attempt ended');
  if (result === 'applied' || result === 'repeated') await deps.onStored?.(job);
}

interface Attempt {
  readonly signal: AbortSignal;
  readonly reporter: ReturnType<typeof createProgressReporter>;
}

async function runToOutcome(
  claimed: ClaimedJob,
  runner: Runner | undefined,
  { signal, reporter }: Attempt,
  logger: Logger,
): Promise<AttemptOutcome> {
  try {
    if (runner === undefined) {
      throw new AppError(
        'configuration',
        'no_runner',
        `This worker has no runner for jobs of type '${claimed.job.type}'.`,
        {
          hint: 'Start a worker with --type for it.',
        },
      );
    }
    return await runner.run(claimed, {
      signal,
      emit: (event) => {
        reporter.emit(event);
      },
      saveCheckpoint: (checkpoint) => reporter.saveCheckpoint(checkpoint),
    });
  } catch (error) {
    return outcomeOfRejection(error, signal, logger);
  }
}

/** A runner that rejects because it was told to stop ended as it was told; all else is a failure. */
function outcomeOfRejection(error: unknown, signal: AbortSignal, logger: Logger): AttemptOutcome {
  const reason: unknown = signal.aborted ? signal.reason : null;
  if (reason instanceof AppError) {
    if (reason.kind === 'cancelled') return { kind: 'cancelled', report: emptyReport };
    if (reason.code === 'worker_draining') return { kind: 'handed_back', reason: reason.message };
  }
  if (!(error instanceof AppError)) logger.error({ err: error }, 'A runner threw something unexpected');
  return { kind: 'failed', failure: toFailure(error), report: emptyReport };
}

function isLost(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof AppError && signal.reason.kind === 'lost';
}
