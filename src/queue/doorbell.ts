export interface Ring {
  /** Resolves when it has rung since `listen`, after `ms`, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export interface Doorbell extends Disposable {
  /** From this call on no ring is missed. */
  listen(): Ring;
}

/** Turns calls of a listener into something to wait for. */
export function createDoorbell(subscribe: (listener: () => void) => () => void): Doorbell {
  let rings = 0;
  const waiting = new Set<() => void>();
  const unsubscribe = subscribe(() => {
    rings += 1;
    for (const wake of waiting) wake();
  });
  return {
    listen() {
      const before = rings;
      return {
        async wait(ms, signal) {
          if (rings !== before || signal.aborted) return;
          const { promise, resolve } = Promise.withResolvers<undefined>();
          const wake = (): void => {
            resolve(undefined);
          };
          const timer = setTimeout(wake, ms);
          signal.addEventListener('abort', wake, { once: true });
          waiting.add(wake);
          await promise;
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          clearTimeout(timer);
        },
      };
    },
    [Symbol.dispose]() {
      unsubscribe();
    },
  };
}
