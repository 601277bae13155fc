import { AppError } from '../../runtime/app-error.ts';
import type { AgentThreadRequest, AgentTurnResult, CodexDriver, DriverSnapshot } from '../driver.ts';
import { denySiblings } from '../deny-siblings.ts';
import { endAttempt } from '../end-attempt.ts';
import type { CodexProcessOptions } from '../codex-process-options.ts';
import { startAppServer, type AppServerProcess } from './app-server-process.ts';
import { runThreadIn } from './run-thread-in.ts';

export interface AppServerDriverOptions extends CodexProcessOptions {
  /** After so many threads a process is replaced; what runs in it ends in it. */
  readonly threadsPerProcess?: number;
}

const defaultThreadsPerProcess = 200;
/** From a launch, also one after a crash, to the answer to `initialize`. */
const readyLimitMs = 60_000;

interface Generation {
  readonly process: Promise<AppServerProcess>;
  threadsRun: number;
  active: number;
}

/** Runs threads in one app-server that stays warm. The caller disposes it, which ends the process and all that runs in it. */
export function createAppServerDriver(options: AppServerDriverOptions): CodexDriver {
  return new AppServerDriver(options);
}

class AppServerDriver implements CodexDriver {
  readonly name = 'app-server';
  readonly #options: AppServerDriverOptions;
  readonly #threadsPerProcess: number;
  /** Processes that take no new threads, until their last one has ended. */
  readonly #retired = new Set<Generation>();
  readonly #ending = new Set<Promise<void>>();
  #current: Generation | null = null;
  #pid: (() => number | null) | null = null;
  #restarts: (() => number) | null = null;
  #restartsBefore = 0;
  /** The present process has read what has changed since. */
  #outdated = false;
  #disposed = false;

  constructor(options: AppServerDriverOptions) {
    this.#options = options;
    this.#threadsPerProcess = options.threadsPerProcess ?? defaultThreadsPerProcess;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { supervisor } = await this.#take().process;
    await supervisor.whenReady(signal, readyLimitMs);
  }

  async runThread(request: AgentThreadRequest): Promise<AgentTurnResult> {
    request.signal.throwIfAborted();
    const generation = this.#take();
    generation.threadsRun += 1;
    generation.active += 1;
    try {
      const { supervisor } = await generation.process;
      const client = await supervisor.whenReady(request.signal, readyLimitMs);
      try {
        return await runThreadIn(client, await denySiblings(request), this.#options);
      } catch (error) {
        if (isUnresponsive(error) && supervisor.current() === client) supervisor.recycle();
        throw error;
      }
    } finally {
      await endAttempt(request);
      generation.active -= 1;
      this.#endIfDone(generation);
    }
  }

  renew(): void {
    this.#outdated = true;
  }

  snapshot(): DriverSnapshot {
    const retired = [...this.#retired].reduce((sum, { active }) => sum + active, 0);
    return {
      pid: this.#pid?.() ?? null,
      activeThreads: retired + (this.#current?.active ?? 0),
      threadsRun: this.#current?.threadsRun ?? 0,
      restarts: this.#restartsBefore + (this.#restarts?.() ?? 0),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const generation of [this.#current, ...this.#retired])
      if (generation !== null) this.#end(generation);
    this.#current = null;
    this.#retired.clear();
    await Promise.all(this.#ending);
  }

  /** The process that takes the next thread: a fresh one where the last has run its share, or goes by what is no more. */
  #take(): Generation {
    if (this.#disposed) throw new AppError('infrastructure', 'driver_closed', 'The Codex driver is closed.');
    const current = this.#current;
    if (current !== null && !this.#outdated && current.threadsRun < this.#threadsPerProcess) return current;
    this.#outdated = false;
    const fresh: Generation = { process: startAppServer(this.#options), threadsRun: 0, active: 0 };
    this.#current = fresh;
    this.#follow(fresh);
    if (current !== null) {
      this.#restartsBefore += 1;
      this.#retired.add(current);
      this.#endIfDone(current);
    }
    return fresh;
  }

  #follow(fresh: Generation): void {
    this.#restartsBefore += this.#restarts?.() ?? 0;
    this.#pid = null;
    this.#restarts = null;
    fresh.process.then(
      ({ supervisor }) => {
        if (this.#current !== fresh) return;
        this.#pid = () => supervisor.snapshot().pid;
        this.#restarts = () => supervisor.snapshot().restartsTotal;
      },
      () => {
        // Whoever took it gets the error; the next thread tries afresh.
        if (this.#current === fresh) this.#current = null;
      },
    );
  }

  #endIfDone(generation: Generation): void {
    if (generation.active > 0 || !this.#retired.delete(generation)) return;
    this.#end(generation);
  }

  #end(generation: Generation): void {
    const ended = generation.process
      .then((process) => process[Symbol.asyncDispose]())
      .catch((error: unknown) => {
        this.#options.logger.error({ error }, 'an app-server could not be ended');
      })
      .finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }
}

function isUnresponsive(error: unknown): boolean {
  return error instanceof AppError && error.code === 'agent_unresponsive';
}
