import type { Failure } from '../contract/failure.ts';
import type { Agent, Artifact, Check, Claim, FileChange, JobState, Usage } from '../contract/job.ts';
import type { JobId, WorkerId } from './ids.ts';

/** The right to work on a job: whoever holds it is the job's one live attempt. `attempt` is the fence. */
export interface Lease {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly workerId: WorkerId;
}

/** Where a job stands, with the facts of that state. */
export type JobStatus =
  | { readonly state: 'queued'; readonly runAtMs: number }
  | { readonly state: 'parked'; readonly runAtMs: number; readonly failure: Failure }
  | {
      readonly state: 'running';
      readonly workerId: WorkerId;
      readonly leaseUntilMs: number;
      readonly cancelRequested: boolean;
    }
  | { readonly state: 'succeeded'; readonly finishedAtMs: number }
  | { readonly state: 'failed'; readonly finishedAtMs: number; readonly failure: Failure }
  | { readonly state: 'cancelled'; readonly finishedAtMs: number; readonly failure: Failure };

/** What an attempt found out, whether it succeeded or not; the newest attempt's report is the job's. */
export interface AttemptReport {
  readonly summary: string | null;
  /** The real difference between the source and the final tree. */
  readonly filesChanged: readonly FileChange[];
  readonly claimed: Claim | null;
  readonly checks: readonly Check[];
  readonly warnings: readonly string[];
  readonly usage: Usage;
  readonly agent: Agent | null;
  readonly threadId: string | null;
  readonly resumed: boolean;
  readonly artifacts: readonly Artifact[];
}

export const emptyReport: AttemptReport = {
  summary: null,
  filesChanged: [],
  claimed: null,
  checks: [],
  warnings: [],
  usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 },
  agent: null,
  threadId: null,
  resumed: false,
  artifacts: [],
};

/** What a later attempt needs to go on where a killed one stopped; written while the attempt runs. The runner owns the shape. */
export type Checkpoint = Readonly<Record<string, unknown>>;

export interface Job {
  readonly id: JobId;
  readonly type: string;
  readonly queue: string;
  readonly input: unknown;
  readonly priority: number;
  readonly idempotencyKey: string | null;
  readonly retryOf: JobId | null;
  /** Number of the newest attempt, 0 before the first. Grows with every claim: the fence. */
  readonly attempt: number;
  /** Attempts that count against `maxAttempts`; parked and handed-back ones do not. */
  readonly countedAttempts: number;
  readonly maxAttempts: number;
  readonly status: JobStatus;
  readonly checkpoint: Checkpoint | null;
  readonly report: AttemptReport | null;
  readonly createdAtMs: number;
  /** Start of the first attempt. */
  readonly startedAtMs: number | null;
}

/** A job as a worker gets it: claimed, with the lease to show for it. */
export interface ClaimedJob {
  readonly job: Job;
  readonly lease: Lease;
}

/** How one attempt ended, as the worker says it; `domain/next-status.ts` decides what that makes of the job. */
export type AttemptOutcome =
  | { readonly kind: 'succeeded'; readonly report: AttemptReport }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly report: AttemptReport }
  /** Nothing can be done before `untilMs` (a provider's limit resets); does not count as an attempt. */
  | {
      readonly kind: 'parked';
      readonly untilMs: number;
      readonly failure: Failure;
      readonly report: AttemptReport;
    }
  | { readonly kind: 'cancelled'; readonly report: AttemptReport }
  /** The worker leaves and gives the job back unfinished; does not count as an attempt. */
  | { readonly kind: 'handed_back'; readonly reason: string };

export const terminalStates = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly JobState[];

export function isTerminal(state: JobState): state is (typeof terminalStates)[number] {
  return (terminalStates as readonly JobState[]).includes(state);
}
