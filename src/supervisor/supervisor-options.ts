import type { Containment } from './contain.ts';
import type { Child } from './child.ts';
import type { StopGraces } from './end-child.ts';
import type { RestartPolicy } from './restart-plan.ts';
import { systemTime, type SupervisorTime } from './time.ts';
import type { WorkerState } from './worker-state.ts';

/** What happens in a supervised life, for logs and metrics; never holds what the child wrote, except in an error's text. */
export type SupervisorEvent =
  | { readonly type: 'worker_launch'; readonly attempt: number }
  | { readonly type: 'worker_spawned'; readonly pid: number }
  | { readonly type: 'worker_ready'; readonly pid: number; readonly startupLatencyMs: number }
  | {
      readonly type: 'worker_exit';
      readonly pid: number | null;
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly error: string | null;
    }
  | { readonly type: 'worker_restart_scheduled'; readonly delayMs: number; readonly attempt: number }
  | { readonly type: 'worker_restart_limit'; readonly restarts: number; readonly retryInMs: number }
  | { readonly type: 'shutdown_initiated' }
  | { readonly type: 'shutdown_grace_exceeded'; readonly pid: number; readonly graceMs: number };

export interface SupervisorOptions<T> {
  /**
   * Makes a started child usable (`initialize`) and gives what users work with. Called in the same turn as the spawn: output that it
   * listens for is complete. `signal` aborts when the child ends, the start-up limit passes or the supervisor stops.
   */
  readonly ready: (child: Child, signal: AbortSignal) => Promise<T>;
  readonly containment: Containment;
  /** Must not throw. */
  readonly onEvent?: (event: SupervisorEvent) => void;
  /** Every line of the child's stderr; one over 64 KiB comes as its head, `truncated`. Must not throw. */
  readonly onStderrLine?: (line: string, truncated: boolean) => void;
  readonly startupTimeoutMs?: number;
  readonly restart?: Partial<RestartPolicy>;
  /** A child that was ready for this long has proven itself: failures are counted from zero again. */
  readonly stableMs?: number;
  readonly graces?: Partial<StopGraces>;
  /** `NAME=value` of the child's environment that marks all it starts; without a PID namespace, what is left of it is killed with it. */
  readonly marker?: string;
  /** Whether the process of the next life stands ready while this one lives, for a shorter restart. */
  readonly isNextPrepared?: boolean;
  readonly time?: SupervisorTime;
  readonly random?: () => number;
}

export interface LastExit {
  readonly atMs: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why the life failed, where more than its exit is known. */
  readonly error: string | null;
}

export interface SupervisorSnapshot {
  readonly running: boolean;
  readonly ready: boolean;
  readonly reason: WorkerState;
  readonly pid: number | null;
  readonly restartsTotal: number;
  readonly consecutiveFailures: number;
  readonly lastExit: LastExit | null;
  readonly lastReadyAtMs: number | null;
  readonly startupLatencyMs: number | null;
  /** The wait before the next launch while one is scheduled. */
  readonly nextRestartDelayMs: number | null;
}

/** One child process kept alive. */
export interface Supervisor<T> extends AsyncDisposable {
  /** Launches the first child; later calls do nothing. */
  start(): void;
  snapshot(): SupervisorSnapshot;
  /** What `ready` made of the child that lives now, or null. */
  current(): T | null;
  /**
   * Resolves as soon as a child is ready. Rejects with what a start failed with where that is kind `configuration` or `auth`,
   * with `worker_not_ready` after `limitMs`, with `shutdown_in_progress` when the supervisor stops, and with the signal's reason.
   */
  whenReady(signal: AbortSignal, limitMs: number): Promise<T>;
  /** Ends a ready child and starts the next one at once; not a failure. Does nothing while no child is ready. */
  recycle(): void;
  /** Not ready from now on, and never again; a living child goes on until `stop`, so that work in flight can finish. */
  beginShutdown(): void;
  /** Ends the child and all waiting; bounded by the graces. Every call resolves when it is done. */
  stop(): Promise<void>;
}

export function withDefaults<T>(options: SupervisorOptions<T>) {
  return {
    ready: options.ready,
    containment: options.containment,
    marker: options.marker ?? null,
    onEvent: options.onEvent ?? (() => undefined),
    onStderrLine: options.onStderrLine ?? (() => undefined),
    startupTimeoutMs: options.startupTimeoutMs ?? 8_000,
    restart: {
      restartMax: 25,
      windowMs: 600_000,
      ...options.restart,
      backoff: options.restart?.backoff ?? { initialMs: 500, maxMs: 5_000, jitter: 0.2 },
    } satisfies RestartPolicy,
    stableMs: options.stableMs ?? 60_000,
    graces: { stdinEndMs: 1_000, termMs: 3_000, killMs: 2_000, ...options.graces } satisfies StopGraces,
    time: options.time ?? systemTime,
    random: options.random ?? Math.random,
  };
}

export type FullSupervisorOptions<T> = ReturnType<typeof withDefaults<T>>;
