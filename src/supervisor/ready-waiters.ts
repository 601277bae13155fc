import type { AppError } from '../runtime/app-error.ts';
import { deferred, within, type Deferred } from '../runtime/wait.ts';

export interface WaitOptions {
  readonly signal: AbortSignal;
  readonly limitMs: number;
  readonly error: () => AppError;
}

/** Those who wait for the next value; each is answered with it, with a failure, or by its own limit. */
export class ReadyWaiters<T> {
  readonly #waiting = new Set<Deferred<T>>();

  async wait({ signal, limitMs, error }: WaitOptions): Promise<T> {
    const waiter = deferred<T>();
    // Whoever waits may have left by its limit before the answer comes.
    waiter.promise.catch(() => undefined);
    this.#waiting.add(waiter);
    try {
      return await within(waiter.promise, limitMs, error, signal);
    } finally {
      this.#waiting.delete(waiter);
    }
  }

  resolve(value: T): void {
    for (const waiter of this.#waiting) waiter.resolve(value);
  }

  reject(error: AppError): void {
    for (const waiter of this.#waiting) waiter.reject(error);
  }
}
