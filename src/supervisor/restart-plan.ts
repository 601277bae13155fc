import { backoffMs, type BackoffOptions } from '../runtime/backoff.ts';

export interface RestartPolicy {
  readonly backoff: BackoffOptions;
  /** Restarts allowed within any `windowMs`. */
  readonly restartMax: number;
  readonly windowMs: number;
}

export interface RestartHistory {
  /** Failed lives in a row, the one that just ended included: at least 1. */
  readonly consecutiveFailures: number;
  /** When the restarts so far were launched, oldest first. */
  readonly restartsAtMs: readonly number[];
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
}

export interface RestartPlan {
  readonly delayMs: number;
  /** The window is full: this restart waits until its oldest one has left. */
  readonly limited: boolean;
}

/** When the next restart comes: the first at once, then after a doubling wait, never more than `restartMax` in a sliding window. */
export function planRestart(history: RestartHistory, policy: RestartPolicy): RestartPlan {
  const { consecutiveFailures, nowMs } = history;
  const inWindow = recentRestarts(history.restartsAtMs, nowMs, policy.windowMs);
  const firstToLeave = inWindow[inWindow.length - policy.restartMax];
  if (policy.restartMax <= 0) return { delayMs: policy.windowMs, limited: true };
  if (firstToLeave !== undefined) {
    return { delayMs: firstToLeave + policy.windowMs - nowMs, limited: true };
  }
  const again = consecutiveFailures - 1;
  const delayMs = again < 1 ? 0 : backoffMs(again, policy.backoff, history.random);
  return { delayMs, limited: false };
}

/** The restarts that still count against the limit. */
export function recentRestarts(
  restartsAtMs: readonly number[],
  nowMs: number,
  windowMs: number,
): readonly number[] {
  return restartsAtMs.filter((atMs) => atMs > nowMs - windowMs);
}
