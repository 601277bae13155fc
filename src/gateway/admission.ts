import { AppError } from '../runtime/app-error.ts';
import { startDeadline } from '../runtime/deadline.ts';
import { pause } from '../runtime/wait.ts';
import { readinessReason, workerStatus, type ReadinessFacts } from './readiness.ts';
import { Slots, type SlotLimits } from './slots.ts';

export interface AdmissionOptions extends SlotLimits {
  /** The longest that one request may take. */
  readonly limitMs: number;
  readonly facts: () => ReadinessFacts;
}

/** Lets requests in while the worker is ready and a slot is free, and out when time is up or the gateway stops. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #slots: Slots;
  readonly #inFlight = new Set<Promise<unknown>>();
  /** Aborts what is still in flight when the grace is over. */
  readonly #cut = new AbortController();

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#slots = new Slots(options);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * Does the work in a slot. Rejects with `worker_not_ready` or `handshake_failed` while there is no worker, as `Slots.take` does, or with
   * what the work rejects with; its signal aborts with `worker_request_timeout`, `worker_exited` (the gateway stops) or the caller's reason.
   */
  async run<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#check();
    const done = this.#admitted(signal, work);
    this.#inFlight.add(done);
    try {
      return await done;
    } finally {
      this.#inFlight.delete(done);
    }
  }

  /** Waits for what is in flight, at most so long; then says how much is left and ends it with a retriable error. */
  async drain(graceMs: number, onExceeded: (left: number) => void): Promise<void> {
    const over = new AbortController();
    const all = Promise.allSettled(this.#inFlight);
    await Promise.race([all, pause(graceMs, over.signal)]);
    over.abort();
    if (this.#inFlight.size > 0) {
      onExceeded(this.#inFlight.size);
      this.#cut.abort(stopping());
    }
    await all;
  }

  async #admitted<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { limitMs } = this.#options;
    const caller = AbortSignal.any([signal, this.#cut.signal]);
    using _slot = await this.#slots.take(caller);
    this.#check();
    using deadline = startDeadline(limitMs, () => tooLong(limitMs));
    return await work(AbortSignal.any([caller, deadline.signal]));
  }

  #check(): void {
    const facts = this.#options.facts();
    const reason = readinessReason(facts);
    // A login that was refused may be good again: each request finds out.
    if (reason === 'ready' || reason === 'auth_required') return;
    const code = reason === 'handshake_failed' ? 'handshake_failed' : 'worker_not_ready';
    throw new AppError('infrastructure', code, `The worker is not ready: ${reason}.`, {
      hint: 'Try again in a moment.',
      details: {
        retryable: true,
        retryAfterMs: Math.max(1000, facts.worker?.nextRestartDelayMs ?? 0),
        workerStatus: { reason, ...workerStatus(facts) },
      },
    });
  }
}

function tooLong(limitMs: number): AppError {
  return new AppError('timeout', 'worker_request_timeout', `The request took longer than ${limitMs} ms.`, {
    hint: 'Ask for less at once, or raise gateway.timeout and gateway.request_timeout.',
    details: { retryable: true },
  });
}

function stopping(): AppError {
  return new AppError('infrastructure', 'worker_exited', 'The gateway is being shut down.', {
    hint: 'Try again.',
    details: { retryable: true, retryAfterMs: 1000 },
  });
}
