import type { IncomingHttpHeaders } from 'node:http';
import { within } from '../../src/runtime/wait.ts';
import { AppError } from '../../src/runtime/app-error.ts';

export interface RecordedRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  readonly token: string;
  readonly threadId: string;
  /** The last thing that a user wrote; empty for requests that are no model call. */
  readonly prompt: string;
  readonly conversation: string;
  /** The turn that answered, from 0; -1 for requests that are no model call. */
  readonly turn: number;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
  /** 20 s when left out. */
  readonly timeoutMs?: number;
}

interface Waiter<T> {
  readonly wanted: (value: T) => boolean;
  readonly resolve: (value: T) => void;
}

/** The last `limit` values, and promises for one that is there or will come. */
export class WaitableLog<T> {
  readonly #limit: number;
  readonly #waiters = new Set<Waiter<T>>();
  readonly entries: T[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(value: T): void {
    this.entries.push(value);
    if (this.entries.length > this.#limit) this.entries.shift();
    for (const waiter of this.#waiters) {
      if (waiter.wanted(value)) waiter.resolve(value);
    }
  }

  async wait(what: string, wanted: (value: T) => boolean, options: WaitOptions = {}): Promise<T> {
    const there = this.entries.find(wanted);
    if (there !== undefined) return there;
    const { promise, resolve } = Promise.withResolvers<T>();
    const waiter = { wanted, resolve };
    this.#waiters.add(waiter);
    const late = (): AppError =>
      new AppError('timeout', 'scripted_model_wait', `The scripted model saw no ${what} in time.`);
    try {
      return await within(promise, options.timeoutMs ?? 20_000, late, options.signal);
    } finally {
      this.#waiters.delete(waiter);
    }
  }
}
