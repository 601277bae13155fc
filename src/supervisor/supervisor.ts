import { AppError } from '../runtime/app-error.ts';
import type { Child, ChildSpec } from './child.ts';
import { processSource, type ChildSource } from './child-source.ts';
import { liveOnce, type LifeEnd } from './life.ts';
import { preparedSource } from './prepared-source.ts';
import { ReadyWaiters } from './ready-waiters.ts';
import { planRestart, recentRestarts } from './restart-plan.ts';
import {
  withDefaults,
  type FullSupervisorOptions,
  type LastExit,
  type Supervisor,
  type SupervisorOptions,
  type SupervisorSnapshot,
} from './supervisor-options.ts';
import { nextWorkerState, type WorkerEvent, type WorkerState } from './worker-state.ts';

/** Keeps one child process alive, once started, until stopped. */
export function createSupervisor<T>(spec: ChildSpec, options: SupervisorOptions<T>): Supervisor<T> {
  return supervise(options.isNextPrepared === true ? preparedSource(spec) : processSource(spec), options);
}

/** The same for what is started in another way than as a process. */
export function supervise<T>(source: ChildSource, options: SupervisorOptions<T>): Supervisor<T> {
  return new ChildSupervisor(source, withDefaults(options));
}

class ChildSupervisor<T> implements Supervisor<T> {
  readonly #source: ChildSource;
  readonly #options: FullSupervisorOptions<T>;
  readonly #waiters = new ReadyWaiters<T>();
  readonly #shutdown = new AbortController();
  #state: WorkerState = 'worker_not_started';
  #running: Promise<void> | null = null;
  /** Ends the life that goes on now. */
  #life = new AbortController();
  #child: Child | null = null;
  #current: { readonly value: T; readonly sinceMs: number } | null = null;
  #failures = 0;
  #restartsTotal = 0;
  /** Restarts in the sliding window, on the monotonic clock. */
  #restartsAtMs: readonly number[] = [];
  #lastExit: LastExit | null = null;
  #lastReadyAtMs: number | null = null;
  #startupLatencyMs: number | null = null;
  #nextRestartDelayMs: number | null = null;

  constructor(source: ChildSource, options: FullSupervisorOptions<T>) {
    this.#source = source;
    this.#options = options;
  }

  start(): void {
    if (this.#state !== 'worker_not_started') return;
    this.#step('start');
    this.#running = this.#run();
  }

  snapshot(): SupervisorSnapshot {
    return {
      running: this.#child !== null,
      ready: this.#state === 'ready',
      reason: this.#state,
      pid: this.#child?.pid ?? null,
      restartsTotal: this.#restartsTotal,
      consecutiveFailures: this.#isStable() ? 0 : this.#failures,
      lastExit: this.#lastExit,
      lastReadyAtMs: this.#lastReadyAtMs,
      startupLatencyMs: this.#startupLatencyMs,
      nextRestartDelayMs: this.#nextRestartDelayMs,
    };
  }

  current(): T | null {
    return this.#current?.value ?? null;
  }

  async whenReady(signal: AbortSignal, limitMs: number): Promise<T> {
    signal.throwIfAborted();
    if (this.#state === 'shutdown_in_progress') throw stopping(this.#source);
    if (this.#state === 'ready' && this.#current !== null) return this.#current.value;
    const error = (): AppError =>
      new AppError(
        'infrastructure',
        'worker_not_ready',
        `${this.#source.name} was not ready within ${String(limitMs)} ms: ${this.#state}.`,
        {
          hint: this.#lastExit?.error ?? 'Try again later.',
          details: { reason: this.#state, lastExit: this.#lastExit },
        },
      );
    return this.#waiters.wait({ signal, limitMs, error });
  }

  recycle(): void {
    if (this.#state !== 'ready') return;
    this.#step('restart');
    this.#endLife();
  }

  beginShutdown(): void {
    if (this.#shutdown.signal.aborted) return;
    this.#options.onEvent({ type: 'shutdown_initiated' });
    this.#step('stop');
    this.#shutdown.abort();
    this.#waiters.reject(stopping(this.#source));
    // Only a child that was ready can have work in flight.
    if (this.#current === null) this.#endLife();
  }

  async stop(): Promise<void> {
    this.beginShutdown();
    this.#endLife();
    await this.#running;
    await this.#source.end?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    for (let attempt = 1; !this.#isStopping(); attempt += 1) {
      this.#life = new AbortController();
      this.#options.onEvent({ type: 'worker_launch', attempt });
      const end = await liveOnce(this.#source, this.#options, {
        ending: this.#life.signal,
        listener: {
          spawned: (child) => {
            this.#spawned(child);
          },
          ready: (value, latencyMs) => {
            this.#ready(value, latencyMs);
          },
          lost: (how) => {
            this.#lost(how);
          },
        },
      });
      this.#ended(end);
      if (this.#isStopping()) return;
      const planned = this.#life.signal.aborted;
      if (!planned) await this.#waitForRestart(attempt + 1);
      if (!this.#isStopping()) this.#restartsTotal += 1;
    }
  }

  #spawned(child: Child): void {
    this.#child = child;
    this.#step('spawned');
    this.#options.onEvent({ type: 'worker_spawned', pid: child.pid });
  }

  #ready(value: T, latencyMs: number): void {
    const { time, onEvent } = this.#options;
    const startupLatencyMs = Math.round(latencyMs);
    this.#current = { value, sinceMs: time.monotonicMs() };
    this.#lastReadyAtMs = time.wallMs();
    this.#startupLatencyMs = startupLatencyMs;
    this.#step('handshake_ok');
    onEvent({ type: 'worker_ready', pid: this.#child?.pid ?? 0, startupLatencyMs });
    this.#waiters.resolve(value);
    this.#source.prepare?.(this.#options);
  }

  #lost(how: 'handshake_failed' | 'exited'): void {
    this.#failures = (this.#isStable() ? 0 : this.#failures) + 1;
    this.#current = null;
    this.#step(how);
  }

  #ended({ pid, exit, error }: LifeEnd): void {
    this.#child = null;
    this.#current = null;
    const said = error?.message ?? null;
    this.#lastExit = { atMs: this.#options.time.wallMs(), ...exit, error: said };
    this.#options.onEvent({ type: 'worker_exit', pid, ...exit, error: said });
    if (error?.kind === 'configuration' || error?.kind === 'auth') this.#waiters.reject(error);
  }

  async #waitForRestart(attempt: number): Promise<void> {
    const { time, restart, random, onEvent } = this.#options;
    const nowMs = time.monotonicMs();
    this.#restartsAtMs = recentRestarts(this.#restartsAtMs, nowMs, restart.windowMs);
    const plan = planRestart(
      {
        consecutiveFailures: this.#failures,
        restartsAtMs: this.#restartsAtMs,
        nowMs,
        random: random(),
      },
      restart,
    );
    const { delayMs } = plan;
    this.#nextRestartDelayMs = delayMs;
    this.#step(plan.limited ? 'limit_reached' : 'restart_scheduled');
    if (plan.limited) {
      onEvent({ type: 'worker_restart_limit', restarts: this.#restartsAtMs.length, retryInMs: delayMs });
    }
    onEvent({ type: 'worker_restart_scheduled', delayMs, attempt });
    if (delayMs > 0) await this.#pause(delayMs);
    this.#nextRestartDelayMs = null;
    if (this.#isStopping()) return;
    this.#restartsAtMs = [...this.#restartsAtMs, time.monotonicMs()];
    this.#step('restart');
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#shutdown;
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = (): void => {
      resolve(undefined);
    };
    const cancel = this.#options.time.after(ms, wake);
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    cancel();
    signal.removeEventListener('abort', wake);
  }

  /** The reference goes before the kill: whatever the child still does is then known to be stale. */
  #endLife(): void {
    this.#current = null;
    this.#life.abort();
  }

  #isStable(): boolean {
    const { time, stableMs } = this.#options;
    return this.#current !== null && time.monotonicMs() - this.#current.sinceMs >= stableMs;
  }

  #isStopping(): boolean {
    return this.#shutdown.signal.aborted;
  }

  #step(event: WorkerEvent): void {
    const next = nextWorkerState(this.#state, event);
    // While it shuts down the child still has its events, and none of them matters any more.
    if (next === null && this.#state === 'shutdown_in_progress') return;
    if (next === null) throw new Error(`A worker that is ${this.#state} cannot have ${event}.`);
    this.#state = next;
  }
}

function stopping(source: ChildSource): AppError {
  return new AppError('infrastructure', 'shutdown_in_progress', `${source.name} is being shut down.`, {
    hint: 'Try again once the service is back.',
  });
}
