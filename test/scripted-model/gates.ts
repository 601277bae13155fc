interface Waiter {
  readonly name: string;
  readonly pass: () => void;
}

/** Named stops: a reply that comes to a held gate waits there until a test lets it through. */
export class Gates {
  readonly #held = new Map<string, boolean>();
  readonly #waiters = new Set<Waiter>();
  readonly #onArrival: (name: string) => void;

  constructor(onArrival: (name: string) => void) {
    this.#onArrival = onArrival;
  }

  hold(name: string): void {
    this.#held.set(name, true);
  }

  /** Opens the gate for all who wait and all who come later. */
  release(name: string): void {
    this.#held.set(name, false);
    for (const waiter of this.waiting(name)) waiter.pass();
  }

  /** Lets the one who has waited longest through and keeps the gate held. */
  step(name: string): void {
    this.waiting(name)[0]?.pass();
  }

  waiting(name: string): readonly Waiter[] {
    return [...this.#waiters].filter((waiter) => waiter.name === name);
  }

  /** Waits while the gate is held; rejects when the signal aborts. `unset` says what a gate nobody has touched is. */
  async pass(name: string, signal: AbortSignal, unset: 'open' | 'held' = 'open'): Promise<void> {
    if (!(this.#held.get(name) ?? unset === 'held')) return;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const waiter: Waiter = {
      name,
      pass: () => {
        this.#waiters.delete(waiter);
        resolve(undefined);
      },
    };
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiters.add(waiter);
    this.#onArrival(name);
    try {
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
