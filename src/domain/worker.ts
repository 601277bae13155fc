import type { BuildId, WorkerId } from './ids.ts';

/** Proof of which process a worker is: a pid alone may have been given to another process meanwhile. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Start time as the system counts it (field 22 of /proc/PID/stat on Linux, with the boot id); empty where it cannot be read. */
  readonly startToken: string;
}

/** Which container a worker runs in. */
export interface ContainerIdentity {
  readonly id: string;
  /** The engine that it is a container of; null where nobody told. */
  readonly engineId: string | null;
}

export interface NewWorker {
  readonly id: WorkerId;
  readonly types: readonly string[];
  readonly queues: readonly string[];
  readonly mode: 'direct' | 'docker' | 'kubernetes';
  readonly process: ProcessIdentity;
  readonly concurrency: number;
  /** What its launcher calls it; none for one that a person started. */
  readonly name?: string | null;
  /** The build that it serves alone; none for one that serves all. */
  readonly buildId?: BuildId | null;
  /** None for one that runs in no container, or does not know in which. */
  readonly container?: ContainerIdentity | null;
}

export interface WorkerRecord extends NewWorker {
  readonly name: string | null;
  readonly buildId: BuildId | null;
  readonly container: ContainerIdentity | null;
  readonly state: 'starting' | 'ready' | 'draining';
  readonly activeJobs: number;
  readonly jobsProcessed: number;
  readonly startedAtMs: number;
  readonly lastSeenAtMs: number;
}
