import type { AppServerClient } from '../codex/app-server/app-server-client.ts';
import type { ModelAccess } from './backend.ts';
import type { TurnSpec } from './turn.ts';

/** A thread that was started before a request came, with its way to the model. It serves one request. */
export interface SpareThread {
  readonly client: AppServerClient;
  readonly kind: string;
  readonly threadId: string;
  readonly access: ModelAccess;
}

export interface SpareThreadsOptions {
  readonly size: number;
  readonly start: (client: AppServerClient, spec: TurnSpec) => Promise<SpareThread>;
}

/** What a thread is started with beyond what all have; null where it has to be started for its request. */
export function spareKind({ thread, tools, model, verbosity }: TurnSpec): string | null {
  return thread.kind === 'ephemeral' && tools.length === 0 ? JSON.stringify([model, verbosity]) : null;
}

/** Threads in waiting: starting one is a third of what Codex takes for a short turn, and nothing in it depends on the request. */
export class SpareThreads implements Disposable {
  readonly #options: SpareThreadsOptions;
  #spares: SpareThread[] = [];
  #starting = 0;
  readonly #over = new AbortController();

  constructor(options: SpareThreadsOptions) {
    this.#options = options;
  }

  /** One of this process, for such a turn; null where there is none. The caller disposes its access. */
  take(client: AppServerClient, spec: TurnSpec): SpareThread | null {
    const kind = spareKind(spec);
    this.#forget((spare) => spare.client !== client);
    const index = this.#spares.findIndex((spare) => spare.kind === kind);
    return index === -1 ? null : (this.#spares.splice(index, 1)[0] ?? null);
  }

  /** Starts what is missing, for turns like this one. Never rejects: without spares, requests start their own. */
  async refill(client: AppServerClient, spec: TurnSpec): Promise<void> {
    const kind = spareKind(spec);
    if (kind === null || this.#isOver() || client.over.aborted) return;
    if (this.#spares.length + this.#starting >= this.#options.size) return;
    this.#starting += 1;
    try {
      const spare = await this.#options.start(client, spec);
      this.#spares.push(spare);
      if (this.#isOver()) this[Symbol.dispose]();
    } catch {
      // The next request meets what is wrong and says it.
    } finally {
      this.#starting -= 1;
    }
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    this.#forget(() => true);
  }

  #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  #forget(isStale: (spare: SpareThread) => boolean): void {
    for (const spare of this.#spares.filter(isStale)) spare.access[Symbol.dispose]();
    this.#spares = this.#spares.filter((spare) => !isStale(spare));
  }
}
