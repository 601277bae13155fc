import type { ModelAccess } from './backend.ts';
import type { TurnSpec } from './turn.ts';

/** A thread that was started before a request came, with its way to the model. It serves one request. */
export interface SpareThread<C> {
  readonly client: C;
  readonly kind: string;
  readonly threadId: string;
  readonly access: ModelAccess;
}

export interface SpareThreadsOptions<C> {
  readonly size: number;
  /** A spare that has waited for longer is not used: those of a kind that nobody asks for any more make room as well. */
  readonly maxAgeMs: number;
  readonly start: (client: C, spec: TurnSpec) => Promise<SpareThread<C>>;
  /** Lets go of one that nobody will use. */
  readonly discard: (spare: SpareThread<C>) => void;
  readonly monotonicMs: () => number;
}

/** What a thread is started with beyond what all have; null where it has to be started for its request. */
export function spareKind({ thread, tools, model, verbosity }: TurnSpec): string | null {
  return thread.kind === 'ephemeral' && tools.length === 0 ? JSON.stringify([model, verbosity]) : null;
}

interface Waiting<C> {
  readonly spare: SpareThread<C>;
  readonly sinceMs: number;
}

/** Threads in waiting: starting one is a third of what Codex takes for a short turn, and nothing in it depends on the request. */
export class SpareThreads<C extends { readonly over: AbortSignal }> implements Disposable {
  readonly #options: SpareThreadsOptions<C>;
  #waiting: Waiting<C>[] = [];
  #starting = 0;
  readonly #over = new AbortController();

  constructor(options: SpareThreadsOptions<C>) {
    this.#options = options;
  }

  /** One of this process, for such a turn; null where there is none. The caller disposes its access. */
  take(client: C, spec: TurnSpec): SpareThread<C> | null {
    const { maxAgeMs, monotonicMs } = this.#options;
    const oldestMs = monotonicMs() - maxAgeMs;
    this.#discard(({ spare, sinceMs }) => spare.client !== client || sinceMs < oldestMs);
    const kind = spareKind(spec);
    const index = this.#waiting.findIndex(({ spare }) => spare.kind === kind);
    return index === -1 ? null : (this.#waiting.splice(index, 1)[0]?.spare ?? null);
  }

  /** Starts what is missing, for turns like this one. Never rejects: without spares, requests start their own. */
  async refill(client: C, spec: TurnSpec): Promise<void> {
    const { size, start, monotonicMs } = this.#options;
    if (spareKind(spec) === null || this.#isOver() || client.over.aborted) return;
    if (this.#waiting.length + this.#starting >= size) return;
    this.#starting += 1;
    try {
      const spare = await start(client, spec);
      this.#waiting.push({ spare, sinceMs: monotonicMs() });
      if (this.#isOver()) this[Symbol.dispose]();
    } catch {
      // The next request meets what is wrong and says it.
    } finally {
      this.#starting -= 1;
    }
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    this.#discard(() => true);
  }

  #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  #discard(isStale: (waiting: Waiting<C>) => boolean): void {
    for (const waiting of this.#waiting.filter(isStale)) this.#options.discard(waiting.spare);
    this.#waiting = this.#waiting.filter((waiting) => !isStale(waiting));
  }
}
