import { setTimeout as delay } from 'node:timers/promises';
import type { AppError } from './app-error.ts';

/** Waits `ms`, or until the signal aborts, whichever is first; never throws for the abort. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** A promise with its two ends, and whether it has settled. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

export function deferred<T>(): Deferred<T> {
  return Promise.withResolvers<T>();
}

/**
 * `promise`, or a rejection when `ms` have passed (`error()`) or the signal aborts (its reason).
 * The promise itself goes on; whoever made it still owns it.
 */
export async function within<T>(
  promise: Promise<T>,
  ms: number,
  error: () => AppError,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const end = deferred<never>();
  const timer = setTimeout(() => {
    end.reject(error());
  }, ms);
  const onAbort = (): void => {
    end.reject(signal?.reason);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, end.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Resolves when the signal aborts. Adds a listener that stays until then: not for a loop over a long-lived signal. */
export async function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = deferred<void>();
  signal.addEventListener(
    'abort',
    () => {
      resolve();
    },
    { once: true },
  );
  await promise;
}
