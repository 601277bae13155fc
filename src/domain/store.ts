import type { JobEvent, JobEventBody } from '../contract/event.ts';
import type { JobState } from '../contract/job.ts';
import type { BuildId, JobId, WorkerId } from './ids.ts';
import type { AttemptOutcome, Checkpoint, ClaimedJob, Job, Lease } from './job.ts';
import type { KeepLeasesOptions, LeaseKeeper } from './lease-keeper.ts';
import type { NewWorker, ProcessIdentity, WorkerRecord } from './worker.ts';

export interface NewJob {
  readonly id: JobId;
  readonly type: string;
  readonly queue: string;
  readonly input: unknown;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly idempotencyKey: string | null;
  readonly retryOf: JobId | null;
  /** Null: at once. */
  readonly runAtMs: number | null;
  /** The build that wants it; whoever asks with a known idempotency key wants that job, too. */
  readonly buildId?: BuildId | null;
}

export interface ClaimRequest {
  readonly workerId: WorkerId;
  readonly types: readonly string[];
  readonly queues: readonly string[];
  /** At most this many; the store gives fewer where other live workers wait for the same jobs. */
  readonly limit: number;
  readonly leaseMs: number;
  /** Only jobs that this build wants; none: all jobs. */
  readonly buildId?: BuildId | null;
}

/** What `nextDueAt` looks at; see `ClaimRequest`. */
export type DueRequest = Pick<ClaimRequest, 'types' | 'queues' | 'buildId'>;

/** A running `build`: a process that wants jobs. */
export interface BuildRecord {
  readonly id: BuildId;
  readonly process: ProcessIdentity;
  readonly startedAtMs: number;
}

/** How the queue of a job type stands. */
export interface QueueStats {
  readonly type: string;
  /** Due and not claimed. */
  readonly waiting: number;
  /** Those that wait, by queue. */
  readonly waitingIn: Readonly<Record<string, number>>;
  readonly running: number;
  /** Of the newest succeeded attempts, milliseconds; null where there was none. */
  readonly averageMs: number | null;
}

/** What a worker says while it works on a job. */
export interface ProgressReport {
  readonly events: readonly JobEventBody[];
  readonly checkpoint?: Checkpoint;
}

/** `applied`: this call ended the attempt. `repeated`: an earlier call with this fence did. `refused`: the fence is old; nothing changed. */
export type FinishResult = 'applied' | 'repeated' | 'refused';

/** `held`: extended. `cancel_requested`: extended, and the job should stop. `lost`: another attempt has it, or none. */
export type LeaseState = 'held' | 'cancel_requested' | 'lost';

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly type?: string;
  readonly limit: number;
  /** The `nextCursor` of the page before; newest jobs come first. */
  readonly cursor?: string;
}

/** Jobs that ended before a time. */
export interface EndedFilter {
  readonly states: readonly JobState[];
  /** Epoch ms. */
  readonly beforeMs: number;
  readonly limit: number;
  /** The `nextCursor` of the page before; oldest jobs come first. */
  readonly cursor?: string;
}

export interface JobPage {
  readonly items: readonly Job[];
  readonly nextCursor: string | null;
}

/** `jobs`: a job may have become claimable, or its cancellation was asked for. `events`: an event was stored. */
export type StoreTopic = 'jobs' | 'events';

/**
 * All that is durable, in the words of its users. Every call is one transaction. The database's clock decides leases and due times.
 * Rejects with AppError `store_busy`, `store_full`, `store_read_only`, `store_corrupt` (kind `infrastructure` or `configuration`).
 */
export interface Store extends AsyncDisposable {
  /** Accepts a job, synced to disk before it resolves. A known idempotency key gives the job that has it, `created: false`. */
  submitJob(job: NewJob): Promise<{ readonly job: Job; readonly created: boolean }>;
  /** Takes due jobs, highest priority first, then oldest, in one conditional statement; each gets a lease and the next fence. */
  claimJobs(request: ClaimRequest): Promise<readonly ClaimedJob[]>;
  /** When the next job of these types and queues that is not due yet will be; null when there is none. Epoch ms. */
  nextDueAt(request: DueRequest): Promise<number | null>;
  extendLeases(leases: readonly Lease[], leaseMs: number): Promise<readonly LeaseState[]>;
  /** Appends events and replaces the checkpoint; false, and nothing stored, where the fence is old. */
  reportProgress(lease: Lease, report: ProgressReport): Promise<boolean>;
  /** Ends an attempt, synced to disk before it resolves, and appends what that means for the job as an event. */
  finishAttempt(lease: Lease, outcome: AttemptOutcome): Promise<FinishResult>;
  /** Ends a waiting job at once; marks a running one, whose worker then stops it. A terminal job is handed back unchanged. Null: unknown. */
  cancelJob(id: JobId): Promise<Job | null>;

  getJob(id: JobId): Promise<Job | null>;
  /** Ids that begin so, newest first. */
  findJobIds(prefix: string, limit: number): Promise<readonly JobId[]>;
  listJobs(filter: JobFilter): Promise<JobPage>;
  /** Jobs that have ended, in the order of their acceptance. */
  listEnded(filter: EndedFilter): Promise<JobPage>;
  /** Deletes jobs with their attempts and events, synced; one that has not ended or that a running build wants stays. Returns those that went. */
  deleteJobs(ids: readonly JobId[]): Promise<readonly JobId[]>;
  /** Events with a greater `seq`, oldest first. */
  listEvents(id: JobId, afterSeq: number, limit: number): Promise<readonly JobEvent[]>;
  /** The job that has this idempotency key, or null. */
  jobByKey(key: string): Promise<Job | null>;
  /** Takes the idempotency key away from a job that failed or was cancelled, so that another one can have it. */
  releaseKey(id: JobId): Promise<void>;
  /** Each type that has jobs which have not ended, or had any lately. */
  queueStats(): Promise<readonly QueueStats[]>;
  /** Jobs that wait now, by type: what no worker may be there for. */
  countWaiting(): Promise<Readonly<Record<string, number>>>;

  openBuild(id: BuildId, process: ProcessIdentity): Promise<void>;
  /** Forgets the build and what it wanted; the jobs stay. */
  closeBuild(id: BuildId): Promise<void>;
  listBuilds(): Promise<readonly BuildRecord[]>;
  /** The jobs that the build wants, as they stand. */
  listBuildJobs(id: BuildId): Promise<readonly { readonly id: JobId; readonly state: JobState }[]>;
  /** Cancels the jobs that this build wants and no other. */
  cancelBuildJobs(id: BuildId): Promise<readonly JobId[]>;

  registerWorker(worker: NewWorker): Promise<void>;
  updateWorker(id: WorkerId, state: WorkerRecord['state']): Promise<void>;
  /** Says that the worker lives; false where its row is gone (it was taken for dead): it must register again. */
  touchWorker(id: WorkerId): Promise<boolean>;
  /** Takes the row away and requeues what the worker still held, each as a `lost` attempt. Returns those jobs. */
  removeWorker(id: WorkerId): Promise<readonly JobId[]>;
  listWorkers(): Promise<readonly WorkerRecord[]>;
  /** Requeues (or fails, or cancels) every running job whose lease ran out. Returns those jobs. */
  reapExpired(): Promise<readonly JobId[]>;

  /** Starts a worker's heartbeats. The caller disposes it before the store. */
  keepLeases(options: KeepLeasesOptions): LeaseKeeper;
  /** Calls back after commits of this and other processes; may call without cause, never misses one. Returns the way to stop. */
  subscribe(topic: StoreTopic, listener: () => void): () => void;
}
