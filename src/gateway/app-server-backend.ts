import { startAppServer, type AppServerSupervision } from '../codex/app-server/app-server-process.ts';
import type { CodexProcessOptions } from '../codex/codex-process-options.ts';
import { causeOf } from '../codex/failure-cause.ts';
import { AppError } from '../runtime/app-error.ts';
import { systemClock } from '../runtime/clock.ts';
import { deferred, pause } from '../runtime/wait.ts';
import { answersFor, leaveThread, runAppServerTurn, type RanTurn } from './app-server-turn.ts';
import type { AppServerClient } from '../codex/app-server/app-server-client.ts';
import type { Backend, OpenModelAccess, TurnContext } from './backend.ts';
import { HeldThreads, type HeldThread } from './held-threads.ts';
import { openThread, threadGone } from './open-thread.ts';
import { SuccessiveAppServers, type TurnClient } from './successive-app-servers.ts';
import { spareKind, SpareThreads, type SpareThread } from './spare-threads.ts';
import type { ThreadFiles } from './thread-files.ts';
import { openTurnFolders, type TurnFolders } from './turn-folders.ts';
import { asGatewayError, turnFailure } from './turn-failure.ts';
import { enough, type TurnEnd, type TurnSpec } from './turn.ts';

export interface BackendOptions extends CodexProcessOptions {
  readonly sandboxMode: 'read-only' | 'workspace-write';
  readonly workdir: string;
  readonly access: OpenModelAccess;
  readonly loginHint: string;
  /** Turns after which the app-server gets a successor; 0: never. */
  readonly maxTurns: number;
  /** The longest that one turn may take. */
  readonly turnLimitMs: number;
  /** Where requests that may write have their folders. */
  readonly turnsDir: string;
  readonly threadFiles: ThreadFiles;
}

/** How long a request waits for its turn to be interrupted before it is given up; the interruption goes on. */
const leaveMs = 500;
/** Threads that wait for a request, and for how long. */
const spareThreads = 4;
const spareMaxAgeMs = 10 * 60_000;
/** Threads between a tool's call and its answer, or after it; a client that comes later has its conversation told again. */
const heldThreads = 32;
const heldMaxAgeMs = 10 * 60_000;
/** The start of a successor and its restarts, where the first fails. */
const successorLimitMs = 60_000;

/** Runs turns in one supervised app-server of the gateway's own. The caller disposes it. */
export async function startAppServerBackend(
  options: BackendOptions,
  supervision: AppServerSupervision,
): Promise<Backend> {
  const folders = await openTurnFolders(options);
  const servers = await SuccessiveAppServers.start({
    ...options,
    start: () => startAppServer(options, { ...supervision, unloadDelaySeconds: 0 }),
    startLimitMs: successorLimitMs,
    retireLimitMs: options.turnLimitMs,
  });
  return new AppServerBackend(servers, folders, options);
}

class AppServerBackend implements Backend {
  readonly name = 'app-server';
  readonly #servers: SuccessiveAppServers;
  readonly #options: BackendOptions;
  readonly #folders: TurnFolders;
  /** Turns whose requests have left. */
  readonly #running = new Set<Promise<unknown>>();
  readonly #spares: SpareThreads<AppServerClient>;
  readonly #held: HeldThreads<AppServerClient>;

  constructor(servers: SuccessiveAppServers, folders: TurnFolders, options: BackendOptions) {
    this.#servers = servers;
    this.#folders = folders;
    this.#options = options;
    // A folder of its own is made for a request that may write.
    const size = options.sandboxMode === 'read-only' ? spareThreads : 0;
    this.#spares = new SpareThreads({
      size,
      maxAgeMs: spareMaxAgeMs,
      monotonicMs: () => performance.now(),
      start: (client, spec) => this.#startSpare(client, spec),
      discard: (spare) => {
        this.#discardSpare(spare);
      },
    });
    this.#held = new HeldThreads({
      size: heldThreads,
      maxAgeMs: heldMaxAgeMs,
      discard: (held) => {
        this.#track(this.#discardHeld(held));
      },
    });
  }

  snapshot() {
    return this.#servers.snapshot();
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
      return { reason: 'stopped', usage: null, threadId: '', turnId: '', thoughts: [] };
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async renew(): Promise<void> {
    await this.#servers.replace();
  }

  beginShutdown(): void {
    this.#spares[Symbol.dispose]();
    this.#held[Symbol.dispose]();
    this.#servers.beginShutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#spares[Symbol.dispose]();
    this.#held[Symbol.dispose]();
    await this.#servers[Symbol.asyncDispose]();
    await Promise.allSettled(this.#running);
  }

  async #run(spec: TurnSpec, context: TurnContext): Promise<TurnEnd> {
    const server = this.#servers.take();
    if (server === null) throw gone();
    const { client } = server;
    const left: LeftTurn = { server, spec, threadId: null, isKept: false, released: Promise.resolve() };
    const request: BackendRun = { spec, context, left };
    try {
      if (spec.thread.kind === 'taken') return await this.#runOn(client, request, this.#take(client, spec));
      const spare = this.#spares.take(client, spec);
      if (spare === null) return await this.#runOn(client, request, null);
      try {
        return await this.#runOn(client, request, spare);
      } catch (error) {
        // It may have lost what it was started with: a fresh thread tells whether it is the request that is refused.
        if (!(error instanceof AppError) || error.code !== 'rpc_error') throw error;
        return await this.#runOn(client, request, null);
      }
    } catch (error) {
      this.#replaceIfStuck(client, error);
      throw asGatewayError(error);
    } finally {
      this.#track(this.#afterwards(left));
    }
  }

  /** On a thread that was there before it rejects with `rpc_error` only where its turn was not begun. */
  async #runOn(
    client: AppServerClient,
    { spec, context, left }: BackendRun,
    ready: SpareThread<AppServerClient> | HeldThread<AppServerClient> | null,
  ): Promise<TurnEnd> {
    const { access: openAccess, loginHint } = this.#options;
    await using own = new AsyncDisposableStack();
    const held = ready !== null && 'folder' in ready ? ready : null;
    const access = own.use(ready?.access ?? openAccess());
    const folder = held?.folder ?? (await this.#folders.open());
    own.defer(() => this.#folders.leave(folder));
    const failure = (error: Parameters<typeof turnFailure>[0]['error']): AppError =>
      turnFailure({ error, faults: access.faults(), nowMs: systemClock(), loginHint });
    const turn: RanTurn = await runAppServerTurn(client, {
      ready: ready === null ? undefined : { paused: null, ...ready },
      onThread: async (threadId) => {
        left.threadId = threadId;
        if (makesFile(spec)) await this.#options.threadFiles.begun(threadId);
      },
      background: (work) => {
        left.released = work;
        // It is waited for a little later.
        work.catch(() => undefined);
      },
      spec,
      settings: { ...this.#options, folder, provider: access.provider, verbosity: spec.verbosity },
      listener: context.listener,
      // Codex tries a refused login five times over.
      hopeless: (error) => (causeOf(error) === 'unauthorized' ? failure(error) : null),
      signal: AbortSignal.any([context.signal, access.refused]),
    });
    if (turn.failed !== null) {
      const { message, codexErrorInfo: info } = turn.failed;
      throw failure({ message, info });
    }
    if (turn.left !== null) {
      own.move();
      this.#held.put({ ...turn.left, client, access, folder });
    }
    left.isKept = true;
    return turn;
  }

  /** Rejects with `thread_gone` where it is not held, or waits for other answers than these. */
  #take(client: AppServerClient, spec: TurnSpec): HeldThread<AppServerClient> {
    const held =
      spec.thread.kind !== 'taken'
        ? null
        : this.#held.take(
            spec.thread.threadId,
            (each) =>
              each.client === client && (each.paused === null || answersFor(each.paused, spec) !== null),
          );
    if (held === null) throw threadGone(null);
    return held;
  }

  async #discardHeld(held: HeldThread<AppServerClient>): Promise<void> {
    using _access = held.access;
    try {
      await leaveThread(held.client, held, this.#options.sandboxMode);
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'A thread could not be let go of');
      this.#replaceIfStuck(held.client, error);
    } finally {
      await this.#folders.leave(held.folder);
    }
  }

  #track(work: Promise<unknown>): void {
    this.#running.add(work);
    work.finally(() => this.#running.delete(work)).catch(() => undefined);
  }

  /** What no request waits for: its thread is let go of, and threads are started for the next ones. */
  async #afterwards({ server, spec, threadId, isKept, released }: LeftTurn): Promise<void> {
    using _turn = server;
    const { threadFiles, logger } = this.#options;
    const { client } = server;
    try {
      // Both go to Codex in one piece.
      await Promise.all([released, this.#spares.refill(client, spec)]);
      // Nobody was told of a response in it.
      if (makesFile(spec) && !isKept && threadId !== null) await threadFiles.forget([threadId]);
    } catch (error) {
      logger.warn({ err: error }, 'A thread could not be let go of');
      this.#replaceIfStuck(client, error);
    }
  }

  #replaceIfStuck(client: AppServerClient, error: unknown): void {
    const isStuck = error instanceof AppError && error.code === 'agent_unresponsive';
    if (isStuck) this.#servers.recycle(client);
  }

  async #startSpare(client: AppServerClient, spec: TurnSpec): Promise<SpareThread<AppServerClient>> {
    const access = this.#options.access();
    try {
      const settings = {
        ...this.#options,
        folder: await this.#folders.open(),
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

  #discardSpare({ client, threadId, access }: SpareThread<AppServerClient>): void {
    access[Symbol.dispose]();
    // A process that goes takes its threads with it.
    if (!client.over.aborted) this.#track(client.release(threadId));
  }
}

function makesFile({ thread }: TurnSpec): boolean {
  return thread.kind === 'kept' || thread.kind === 'forked';
}

interface BackendRun {
  readonly spec: TurnSpec;
  readonly context: TurnContext;
  readonly left: LeftTurn;
}

/** A turn that is over for its request, with what is still to be done about it. */
interface LeftTurn {
  readonly server: TurnClient;
  readonly spec: TurnSpec;
  threadId: string | null;
  /** Its answer was given. */
  isKept: boolean;
  /** Settles when its thread is let go of. */
  released: Promise<void>;
}

function gone(): AppError {
  return new AppError('infrastructure', 'worker_exited', 'The app-server is not running.', {
    details: { retryable: true, retryAfterMs: 1000 },
  });
}
