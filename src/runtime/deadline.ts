import type { AppError } from './app-error.ts';

/** A time limit as a signal: aborts with `error()` unless disposed, or pushed back by `refresh`, before. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Gives the whole time again. */
  refresh(): void;
}

/** @param limitMs below 2^31 */
export function startDeadline(limitMs: number, error: () => AppError): Deadline {
  const over = new AbortController();
  const timer = setTimeout(() => {
    over.abort(error());
  }, limitMs);
  return {
    signal: over.signal,
    refresh() {
      if (!over.signal.aborted) timer.refresh();
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}
