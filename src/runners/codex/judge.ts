import { failureOfTurn } from '../../codex/failures.ts';
import type { Failure, FailureKind } from '../../contract/failure.ts';
import { AppError, toFailure } from '../../runtime/app-error.ts';
import type { AgentRun } from './run-agent.ts';

/** How the agent's part ended; becomes the attempt's outcome once there is a report to go with it. */
export type Verdict =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'handed_back'; readonly reason: string }
  | { readonly kind: 'parked'; readonly untilMs: number; readonly failure: Failure }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Ends of our own making, for which the proxy has the provider's words where there is one. */
const seenByProxy: ReadonlySet<FailureKind> = new Set<FailureKind>(['auth', 'limit']);

/** Why it ended counts before what it says: a cancelled, drained or timed-out turn looks like any interrupted one. */
export function judge(run: AgentRun, signal: AbortSignal): Verdict {
  const reason: unknown = signal.aborted ? signal.reason : null;
  if (reason instanceof AppError) {
    if (reason.kind === 'cancelled') return { kind: 'cancelled' };
    if (reason.code === 'worker_draining') return { kind: 'handed_back', reason: reason.message };
    return { kind: 'failed', failure: toFailure(reason) };
  }
  if (run.turn?.status === 'completed') return { kind: 'succeeded' };
  if (run.error !== null && (run.faults.length === 0 || !seenByProxy.has(run.error.kind)))
    return { kind: 'failed', failure: toFailure(run.error) };
  const { failure, untilMs } = failureOfTurn({ error: run.turn?.error ?? null, faults: run.faults });
  return failure.kind === 'limit' && untilMs !== null
    ? { kind: 'parked', untilMs, failure }
    : { kind: 'failed', failure };
}
