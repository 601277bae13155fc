import type { Failure, FailureKind } from '../contract/failure.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { AttemptOutcome, Job, JobStatus } from './job.ts';

/** Kinds that another attempt may cure. The others fail the job at once: the same attempt would end the same way. */
const retriable: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'infrastructure',
  'lost',
  'stalled',
  'limit',
]);

const retryBackoff = { initialMs: 1_000, maxMs: 5 * 60_000, jitter: 0.5 };
/** For a limit of which nobody said when it resets: it may never, so these attempts count. */
const limitBackoff = { initialMs: 60_000, maxMs: 30 * 60_000, jitter: 0.2 };

export const cancelledFailure: Failure = {
  kind: 'cancelled',
  code: 'cancelled',
  message: 'The job was cancelled.',
  hint: 'Submit it again with `capstan jobs retry` if that was not meant.',
};

export interface NextStatus {
  readonly status: Exclude<JobStatus, { readonly state: 'running' }>;
  /** Whether this attempt counts against `maxAttempts`. */
  readonly counted: boolean;
}

/**
 * What an attempt's outcome makes of a running job.
 * @param job the job as it was claimed; `countedAttempts` does not yet include this attempt
 * @param now.ms epoch milliseconds
 * @param now.random in [0, 1), for the jitter of the backoff
 */
export function nextStatus(
  job: Pick<Job, 'countedAttempts' | 'maxAttempts'> & { readonly cancelRequested: boolean },
  outcome: AttemptOutcome,
  now: { readonly ms: number; readonly random: number },
): NextStatus {
  const { ms: finishedAtMs } = now;
  if (outcome.kind === 'succeeded') return { status: { state: 'succeeded', finishedAtMs }, counted: true };
  if (outcome.kind === 'cancelled' || job.cancelRequested) {
    return { status: { state: 'cancelled', finishedAtMs, failure: cancelledFailure }, counted: true };
  }
  if (outcome.kind === 'handed_back')
    return { status: { state: 'queued', runAtMs: finishedAtMs }, counted: false };
  if (outcome.kind === 'parked') {
    return {
      status: { state: 'parked', runAtMs: outcome.untilMs, failure: outcome.failure },
      counted: false,
    };
  }
  const { failure } = outcome;
  const used = job.countedAttempts + 1;
  if (!retriable.has(failure.kind) || used >= job.maxAttempts) {
    return { status: { state: 'failed', finishedAtMs, failure }, counted: true };
  }
  const waitMs =
    failure.kind === 'lost'
      ? 0
      : backoffMs(used, failure.kind === 'limit' ? limitBackoff : retryBackoff, now.random);
  return { status: { state: 'queued', runAtMs: finishedAtMs + waitMs }, counted: true };
}
