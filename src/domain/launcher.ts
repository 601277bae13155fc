import type { BuildId } from './ids.ts';

export const executionModes = ['direct', 'docker'] as const;
export type ExecutionMode = (typeof executionModes)[number];

/** A worker to be started. */
export interface WorkerSpec {
  /** Unique in a data folder, and a valid DNS label: container and process go by it. */
  readonly name: string;
  readonly type: string;
  /** The build that it serves alone; null: it serves all. */
  readonly buildId: BuildId | null;
  /** `attached` ends with the launcher; `persistent` outlives it. */
  readonly lifetime: 'attached' | 'persistent';
  /** Whether a launch of a persistent one waits until it takes jobs; an attached one always does. */
  readonly wait?: boolean;
  /** Only a container needs one. */
  readonly image: string | null;
}

/** A worker of ours as its launcher sees it. */
export interface LaunchedWorker {
  readonly name: string;
  readonly state: 'starting' | 'running' | 'ended';
  /** Process or container id; null before there is one. */
  readonly handle: string | null;
}

export interface StopOptions {
  /** How long it may finish what it does; then it is killed. */
  readonly graceMs: number;
}

/** Starts and stops workers in one execution mode. Disposing it stops the attached ones. */
export interface Launcher extends AsyncDisposable {
  readonly mode: ExecutionMode;
  /**
   * Resolves when the worker takes jobs; at once where one of that name does. Rejects with what its start failed with (kind
   * `configuration` or `auth`: it was not tried again) or `worker_start_failed` after the tries; nothing of it is left then.
   */
  launch(spec: WorkerSpec, signal: AbortSignal): Promise<LaunchedWorker>;
  inspect(name: string): Promise<LaunchedWorker | null>;
  /** Ends it; resolves when it is gone, also where there is none. Touches only what is proven ours. */
  stop(name: string, options: StopOptions): Promise<void>;
  list(): Promise<readonly LaunchedWorker[]>;
}
