import type { ReadyThread } from './app-server-turn.ts';
import type { ModelAccess } from './backend.ts';

/** A thread that waits for its client's next request, with its way to the model and its folder. */
export interface HeldThread<C> extends ReadyThread {
  readonly client: C;
  readonly access: ModelAccess;
  readonly folder: string;
}

export interface HeldThreadsOptions<C> {
  /** The oldest goes where there are more. */
  readonly size: number;
  readonly maxAgeMs: number;
  /** Lets go of one that nobody will take. */
  readonly discard: (held: HeldThread<C>) => void;
}

/** Threads with tools between two requests of their clients. */
export class HeldThreads<C extends { readonly over: AbortSignal }> implements Disposable {
  readonly #options: HeldThreadsOptions<C>;
  /** By the thread's id, oldest first. */
  readonly #held = new Map<string, { readonly thread: HeldThread<C>; readonly timer: NodeJS.Timeout }>();
  readonly #over = new AbortController();

  constructor(options: HeldThreadsOptions<C>) {
    this.#options = options;
  }

  put(thread: HeldThread<C>): void {
    const { size, maxAgeMs } = this.#options;
    const timer = setTimeout(() => {
      this.#discard(thread.threadId);
    }, maxAgeMs);
    this.#held.set(thread.threadId, { thread, timer });
    const [oldest] = this.#held.keys();
    if (this.#held.size > size && oldest !== undefined) this.#discard(oldest);
    if (this.#over.signal.aborted) this[Symbol.dispose]();
  }

  /** Null where it is not held any more, its process is gone, or it is not what the caller wants. */
  take(threadId: string, isWanted: (thread: HeldThread<C>) => boolean): HeldThread<C> | null {
    const held = this.#held.get(threadId);
    if (held === undefined || !isWanted(held.thread)) return null;
    if (held.thread.client.over.aborted) {
      this.#discard(threadId);
      return null;
    }
    clearTimeout(held.timer);
    this.#held.delete(threadId);
    return held.thread;
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    for (const threadId of [...this.#held.keys()]) this.#discard(threadId);
  }

  #discard(threadId: string): void {
    const held = this.#held.get(threadId);
    if (held === undefined) return;
    clearTimeout(held.timer);
    this.#held.delete(threadId);
    this.#options.discard(held.thread);
  }
}
