import { AppError } from '../runtime/app-error.ts';
import { deferred, within, type Deferred } from '../runtime/wait.ts';

export interface SlotLimits {
  readonly maxConcurrency: number;
  readonly queueLimit: number;
  readonly queueWaitMs: number;
}

export interface Slot extends Disposable {
  /** Gives the slot back; more than once does nothing. */
  release(): void;
}

/** So many at once, so many waiting, for so long; first come, first served. */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #waiting = new Set<Deferred<void>>();
  #taken = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Rejects with `concurrency_exceeded` where too many wait, `worker_busy` where it takes too long, or the signal's reason. */
  async take(signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const { maxConcurrency, queueLimit, queueWaitMs } = this.#limits;
    if (this.#taken < maxConcurrency && this.#waiting.size === 0) {
      this.#taken += 1;
      return this.#slot();
    }
    if (this.#waiting.size >= queueLimit) {
      throw busy('concurrency_exceeded', `${maxConcurrency} requests are worked on and ${queueLimit} wait.`);
    }
    const turn = deferred<void>();
    this.#waiting.add(turn);
    try {
      const late = (): AppError =>
        busy('worker_busy', `All ${maxConcurrency} slots stayed busy for ${queueWaitMs} ms.`);
      await within(turn.promise, queueWaitMs, late, signal);
      return this.#slot();
    } catch (error) {
      // It may have been given the slot in the same moment.
      if (!this.#waiting.has(turn)) this.#pass();
      throw error;
    } finally {
      this.#waiting.delete(turn);
    }
  }

  #slot(): Slot {
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      this.#pass();
    };
    return { release, [Symbol.dispose]: release };
  }

  /** Hands a slot that is given back to the next who waits. */
  #pass(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    next.resolve();
  }
}

function busy(code: string, message: string): AppError {
  return new AppError('limit', code, message, {
    hint: 'Try again in a moment, or raise gateway.max_concurrency.',
    details: { retryAfterMs: 1000 },
  });
}
