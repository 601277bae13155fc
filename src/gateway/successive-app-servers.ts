import type { AppServerClient } from '../codex/app-server/app-server-client.ts';
import type { AppServerProcess } from '../codex/app-server/app-server-process.ts';
import type { Logger } from '../domain/logger.ts';
import { startDeadline } from '../runtime/deadline.ts';
import { AppError } from '../runtime/app-error.ts';
import { deferred, whenAborted, type Deferred } from '../runtime/wait.ts';
import type { LastExit, SupervisorSnapshot } from '../supervisor/supervisor-options.ts';

export interface SuccessionOptions {
  readonly start: () => Promise<AppServerProcess>;
  /** A process that has had so many turns gets a successor; 0: never. */
  readonly maxTurns: number;
  /** How long the start of a successor may take. */
  readonly startLimitMs: number;
  /** How long a process that has a successor may go on with what it has begun. */
  readonly retireLimitMs: number;
  readonly logger: Logger;
}

/** The app-server for one turn; to be disposed when its thread is let go of. */
export interface TurnClient extends Disposable {
  readonly client: AppServerClient;
}

interface Held {
  readonly process: AppServerProcess;
  turns: number;
  /** Turns that are not over. */
  readonly running: Set<object>;
  idle: Deferred<void> | null;
}

/**
 * One app-server after another: Codex keeps a little of every thread, so that a process grows with its turns. The successor is started first; what the
 * one before has begun it also ends. The caller disposes it.
 */
export class SuccessiveAppServers implements AsyncDisposable {
  readonly #options: SuccessionOptions;
  /** No successors from now on. */
  readonly #stopping = new AbortController();
  /** What was begun is not waited for any longer. */
  readonly #over = new AbortController();
  #held: Held;
  #successor: Promise<void> | null = null;
  readonly #retiring = new Set<Promise<void>>();
  /** Of the processes before the current one. */
  #restartsBefore = 0;
  #lastExit: LastExit | null = null;

  private constructor(options: SuccessionOptions, first: AppServerProcess) {
    this.#options = options;
    this.#held = hold(first);
  }

  static async start(options: SuccessionOptions): Promise<SuccessiveAppServers> {
    return new SuccessiveAppServers(options, await options.start());
  }

  /** Of the current process; its restarts are those of all, and each successor is one more. */
  snapshot(): SupervisorSnapshot {
    const now = this.#held.process.supervisor.snapshot();
    return {
      ...now,
      restartsTotal: this.#restartsBefore + now.restartsTotal,
      lastExit: now.lastExit ?? this.#lastExit,
    };
  }

  /** Null while there is none. */
  take(): TurnClient | null {
    const held = this.#held;
    const client = held.process.supervisor.current();
    if (client === null) return null;
    const turn = {};
    held.running.add(turn);
    held.turns += 1;
    if (this.#options.maxTurns > 0 && held.turns >= this.#options.maxTurns) void this.replace();
    return {
      client,
      [Symbol.dispose]: () => {
        held.running.delete(turn);
        if (held.running.size === 0) held.idle?.resolve();
      },
    };
  }

  /** Starts a successor, unless one is on its way; resolves when it has taken over. Where it does not get ready, the current one goes on. */
  async replace(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#successor ??= this.#succeed().finally(() => {
      this.#successor = null;
    });
    await this.#successor;
  }

  /** Ends the process of this client and starts the next at once, whatever it has begun. */
  recycle(client: AppServerClient): void {
    const { supervisor } = this.#held.process;
    if (supervisor.current() === client) supervisor.recycle();
  }

  beginShutdown(): void {
    this.#stopping.abort();
    this.#held.process.supervisor.beginShutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.beginShutdown();
    this.#over.abort();
    await this.#successor;
    await Promise.all([this.#held.process[Symbol.asyncDispose](), ...this.#retiring]);
  }

  async #succeed(): Promise<void> {
    const { start, startLimitMs, logger } = this.#options;
    const old = this.#held;
    // If this fails, the next try comes after as many turns again.
    old.turns = 0;
    try {
      await using opening = new AsyncDisposableStack();
      const process = opening.use(await start());
      await process.supervisor.whenReady(this.#stopping.signal, startLimitMs);
      opening.move();
      this.#held = hold(process);
      this.#restartsBefore += old.process.supervisor.snapshot().restartsTotal + 1;
      this.#lastExit = old.process.supervisor.snapshot().lastExit ?? this.#lastExit;
      logger.info({ event: 'worker_replaced', inFlight: old.running.size }, 'The app-server has a successor');
      const retired = this.#retire(old);
      this.#retiring.add(retired);
      void retired.finally(() => this.#retiring.delete(retired));
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        logger.warn({ err: error }, 'A successor of the app-server did not start; it goes on itself');
    }
  }

  async #retire(held: Held): Promise<void> {
    const { retireLimitMs, logger } = this.#options;
    // From here on it is not started again.
    held.process.supervisor.beginShutdown();
    using limit = startDeadline(
      retireLimitMs,
      () => new AppError('timeout', 'worker_request_timeout', 'Turns of a replaced app-server do not end.'),
    );
    held.idle = deferred<void>();
    if (held.running.size > 0)
      await Promise.race([
        held.idle.promise,
        whenAborted(AbortSignal.any([limit.signal, this.#over.signal])),
      ]);
    try {
      await held.process[Symbol.asyncDispose]();
    } catch (error) {
      logger.warn({ err: error }, 'A replaced app-server could not be ended');
    }
  }
}

function hold(process: AppServerProcess): Held {
  return { process, turns: 0, running: new Set(), idle: null };
}
