import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import {
  startAppServer,
  type AppServerProcess,
  type AppServerSupervision,
} from '../codex/app-server/app-server-process.ts';
import type { CodexProcessOptions } from '../codex/codex-process-options.ts';
import { causeOf } from '../codex/failure-cause.ts';
import { AppError } from '../runtime/app-error.ts';
import { systemClock } from '../runtime/clock.ts';
import { deferred, pause } from '../runtime/wait.ts';
import { openThread, runAppServerTurn, type RanTurn } from './app-server-turn.ts';
import type { AppServerClient } from '../codex/app-server/app-server-client.ts';
import type { Backend, OpenModelAccess, TurnContext } from './backend.ts';
import { spareKind, SpareThreads, type SpareThread } from './spare-threads.ts';
import { asGatewayError, turnFailure } from './turn-failure.ts';
import { enough, type TurnEnd, type TurnSpec } from './turn.ts';

export interface BackendOptions extends CodexProcessOptions {
  readonly sandboxMode: 'read-only' | 'workspace-write';
  readonly workdir: string;
  readonly access: OpenModelAccess;
  readonly loginHint: string;
}

/** How long a request waits for its turn to be interrupted before it is given up; the interruption goes on. */
const leaveMs = 500;
/** Threads that wait for a request. */
const spareThreads = 4;

/** Runs turns in one supervised app-server of the gateway's own. The caller disposes it. */
export async function startAppServerBackend(
  options: BackendOptions,
  supervision: AppServerSupervision,
): Promise<Backend> {
  await mkdir(options.workdir, { recursive: true, mode: 0o700 });
  const process = await startAppServer(options, { ...supervision, unloadDelaySeconds: 0 });
  return new AppServerBackend(process, options);
}

class AppServerBackend implements Backend {
  readonly name = 'app-server';
  readonly #process: AppServerProcess;
  readonly #options: BackendOptions;
  /** Turns whose requests have left. */
  readonly #running = new Set<Promise<unknown>>();
  readonly #spares: SpareThreads;

  constructor(process: AppServerProcess, options: BackendOptions) {
    this.#process = process;
    this.#options = options;
    // A folder of its own is made for a request that may write.
    const size = options.sandboxMode === 'read-only' ? spareThreads : 0;
    this.#spares = new SpareThreads({ size, start: (client, spec) => this.#startSpare(client, spec) });
  }

  snapshot() {
    return this.#process.supervisor.snapshot();
  }

  async run(spec: TurnSpec, context: TurnContext): Promise<TurnEnd> {
    const { signal } = context;
    signal.throwIfAborted();
    const work = this.#run(spec, context);
    this.#track(work);
    const left = deferred<never>();
    const onAbort = (): void => {
      void pause(leaveMs, new AbortController().signal).then(() => {
        left.reject(signal.reason);
      });
    };
    signal.addEventListener('abort', onAbort, { once: true });
    left.promise.catch(() => undefined);
    try {
      return await Promise.race([work, left.promise]);
    } catch (error) {
      if (error !== enough) throw error;
      return { reason: 'stopped', usage: null, threadId: '', turnId: '' };
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  renew(): void {
    this.#process.supervisor.recycle();
  }

  beginShutdown(): void {
    this.#spares[Symbol.dispose]();
    this.#process.supervisor.beginShutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#spares[Symbol.dispose]();
    await this.#process[Symbol.asyncDispose]();
    await Promise.allSettled(this.#running);
  }

  async #run(spec: TurnSpec, { listener, signal }: TurnContext): Promise<TurnEnd> {
    const { supervisor } = this.#process;
    const { access: openAccess, loginHint } = this.#options;
    const client = supervisor.current();
    if (client === null) throw gone();
    const spare = this.#spares.take(client, spec);
    using access = spare?.access ?? openAccess();
    const folder = await this.#folder();
    try {
      const settings = { ...this.#options, folder, provider: access.provider, verbosity: spec.verbosity };
      const turn: RanTurn = await runAppServerTurn(client, {
        startedThreadId: spare?.threadId,
        background: (work) => {
          this.#track(this.#afterwards(client, work, spec));
        },
        spec,
        settings,
        listener,
        hopeless: (error) => {
          // Codex tries a refused login five times over.
          if (causeOf(error) !== 'unauthorized') return null;
          return turnFailure({ error, faults: access.faults(), nowMs: systemClock(), loginHint });
        },
        signal: AbortSignal.any([signal, access.refused]),
      });
      if (turn.failed !== null) {
        const { message, codexErrorInfo: info } = turn.failed;
        throw turnFailure({
          error: { message, info },
          faults: access.faults(),
          nowMs: systemClock(),
          loginHint,
        });
      }
      return turn;
    } catch (error) {
      this.#replaceIfStuck(client, error);
      throw asGatewayError(error);
    } finally {
      await this.#leave(folder);
    }
  }

  #track(work: Promise<unknown>): void {
    this.#running.add(work);
    work.finally(() => this.#running.delete(work)).catch(() => undefined);
  }

  /** What no request waits for: its thread is let go of, and threads are started for the next ones. */
  async #afterwards(client: AppServerClient, release: Promise<void>, spec: TurnSpec): Promise<void> {
    try {
      await release;
      await this.#spares.refill(client, spec);
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'A thread could not be let go of');
      this.#replaceIfStuck(client, error);
    }
  }

  #replaceIfStuck(client: AppServerClient, error: unknown): void {
    const { supervisor } = this.#process;
    const isStuck = error instanceof AppError && error.code === 'agent_unresponsive';
    if (isStuck && supervisor.current() === client) supervisor.recycle();
  }

  async #startSpare(client: AppServerClient, spec: TurnSpec): Promise<SpareThread> {
    const access = this.#options.access();
    try {
      const settings = {
        ...this.#options,
        folder: await this.#folder(),
        provider: access.provider,
        verbosity: spec.verbosity,
      };
      const threadId = await openThread(client, { spec, settings, signal: client.over });
      return { client, kind: spareKind(spec) ?? '', threadId, access };
    } catch (error) {
      access[Symbol.dispose]();
      throw error;
    }
  }

  /** Who runs no commands shares an empty folder that nothing is ever written into. */
  async #folder(): Promise<string> {
    const { workdir, sandboxMode } = this.#options;
    if (sandboxMode === 'workspace-write') return mkdtemp(path.join(workdir, 'turn-'));
    const folder = path.join(workdir, 'empty');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  async #leave(folder: string): Promise<void> {
    if (this.#options.sandboxMode === 'read-only') return;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) => {
      this.#options.logger.warn({ err: error, folder }, 'A folder of the gateway could not be removed');
    });
  }
}

function gone(): AppError {
  return new AppError('infrastructure', 'worker_exited', 'The app-server is not running.', {
    details: { retryable: true, retryAfterMs: 1000 },
  });
}
