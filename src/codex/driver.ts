import type { SandboxMode } from '../contract/codex-job.ts';
import type { JobEventBody } from '../contract/event.ts';
import type { Usage } from '../contract/job.ts';
import type { JsonObject } from './json.ts';

/** The thread of an earlier attempt; the rollout file is what it is read from. */
export interface ThreadHandle {
  readonly threadId: string;
  readonly rolloutPath: string | null;
}

export interface StartedThread extends ThreadHandle {
  readonly resumed: boolean;
}

/** One turn of one thread for one attempt. The folders exist; `tmpDir` may lie inside `homeDir`. All paths are absolute and free of symlinks. */
export interface AgentThreadRequest {
  readonly jobId: string;
  readonly attempt: number;
  readonly workspaceDir: string;
  readonly homeDir: string;
  readonly tmpDir: string;
  readonly prompt: string;
  readonly developerInstructions?: string;
  readonly model: string;
  readonly sandboxMode: SandboxMode;
  /** Whether commands may reach the network. */
  readonly network: boolean;
  /** Where the model answers, and the token of this attempt for it. Null: the login kept in CODEX_HOME. */
  readonly provider: { readonly baseUrl: string; readonly token: string } | null;
  /** Folders that commands may not even read; the folders above may lie inside them. CODEX_HOME is always denied. */
  readonly deniedPaths: readonly string[];
  /** The thread to go on with; null starts one. */
  readonly resume: ThreadHandle | null;
  /** Instead of the settings that the fields above come to. */
  readonly config?: JsonObject;
  /** Further arguments; `exec` alone takes them. */
  readonly execArgs?: readonly string[];
  /** Ends the turn: `interrupted`. */
  readonly signal: AbortSignal;
  onEvent(event: JobEventBody): void;
  /** The checkpoint. The app-server starts the turn only afterwards; `exec`, which cannot wait, ends the turn where this rejects. */
  onThread(thread: StartedThread): Promise<void>;
}

export interface AgentTurnError {
  readonly message: string;
  /** Codex's own `codexErrorInfo`; null where the driver is not told. */
  readonly info: unknown;
  readonly additionalDetails: string | null;
}

export interface AgentTurnResult extends StartedThread {
  readonly status: 'completed' | 'failed' | 'interrupted';
  /** The last message of the agent. */
  readonly finalMessage: string | null;
  /** Of this turn alone, as Codex counted it. */
  readonly usage: Usage;
  readonly error: AgentTurnError | null;
}

export interface DriverSnapshot {
  /** The process that stays warm; null where there is none. */
  readonly pid: number | null;
  readonly activeThreads: number;
  /** Threads that the present process has run. */
  readonly threadsRun: number;
  /** Starts of the process after its first, for whatever reason. */
  readonly restarts: number;
}

/**
 * How Codex runs threads. When `runThread` settles, no process of that attempt is alive and the thread is not open anywhere.
 * It rejects with AppError `thread_not_resumable` (kind `infrastructure`: start clean), `thread_refused`, `agent_process_exited`, `agent_protocol`,
 * `agent_unresponsive` (kind `infrastructure`) or, before anything was started, the signal's reason.
 */
export interface CodexDriver extends AsyncDisposable {
  readonly name: 'app-server' | 'exec';
  /** Resolves when threads can be run; rejects with kind `configuration` where they never could. */
  start(signal: AbortSignal): Promise<void>;
  runThread(request: AgentThreadRequest): Promise<AgentTurnResult>;
  /** What is kept in CODEX_HOME has changed: threads that start from now on go by what is there. */
  renew(): void;
  snapshot(): DriverSnapshot;
}
