import type { JobFolders } from '../../artifacts/job-folders.ts';
import { prepareWorkspace } from '../../artifacts/prepare-workspace.ts';
import type { AgentThreadRequest, AgentTurnResult } from '../../codex/driver.ts';
import type { ProxyFault } from '../../codex/model-proxy/fault.ts';
import type { CodexJobInput } from '../../contract/codex-job.ts';
import type { Usage } from '../../contract/job.ts';
import { emptyReport, type ClaimedJob } from '../../domain/job.ts';
import type { RunContext } from '../../domain/runner.ts';
import { AppError } from '../../runtime/app-error.ts';
import { startDeadline } from '../../runtime/deadline.ts';
import type { CodexCheckpoint } from './checkpoint.ts';
import { hostname } from 'node:os';
import type { CodexRunnerDeps } from './deps.ts';
import { stalled } from './limits.ts';
import { continuationPrompt, developerInstructions } from './prompts.ts';

/** What is known when the agent has ended, in whatever way. */
export interface AgentRun {
  /** Null where the agent gave no result: `error` says why. */
  readonly turn: AgentTurnResult | null;
  readonly error: AppError | null;
  /** What the model proxy saw the provider refuse; it knows better than the agent's words. */
  readonly faults: readonly ProxyFault[];
  /** As metered by the proxy. */
  readonly usage: Usage;
  readonly model: string;
  readonly threadId: string | null;
  readonly rolloutPath: string | null;
  readonly resumed: boolean;
  readonly warnings: readonly string[];
}

export interface AgentWork {
  readonly claimed: ClaimedJob;
  readonly input: CodexJobInput;
  readonly folders: JobFolders;
  readonly checkpoint: CodexCheckpoint | null;
}

/** Runs one thread of the agent to the end of its turn, watched for stalls, with a way to the model that is open only meanwhile. */
export async function runAgent(
  deps: CodexRunnerDeps,
  work: AgentWork,
  context: RunContext,
): Promise<AgentRun> {
  const { settings } = deps;
  const { lease, job } = work.claimed;
  const model = work.input.model ?? settings.model;
  const upstream = deps.provider();
  using watch = startDeadline(settings.stallTimeoutMs, () => stalled(settings.stallTimeoutMs));
  const refusal = new AbortController();
  using route =
    upstream === null
      ? null
      : deps.proxy.open({
          attemptId: `${job.id}:${lease.attempt}`,
          upstream,
          onFault: (fault) => {
            // The agent would try a refused key five times over; what it would say in the end is known now.
            if (fault.kind === 'auth') refusal.abort(new AppError('auth', 'key_refused', fault.message));
          },
        });
  const signal = AbortSignal.any([context.signal, watch.signal, refusal.signal]);
  const thread = { threadId: null as string | null, rolloutPath: null as string | null, resumed: false };
  const warnings: string[] = [];

  const request = (checkpoint: CodexCheckpoint | null): AgentThreadRequest => ({
    jobId: job.id,
    attempt: lease.attempt,
    workspaceDir: work.folders.workspace,
    homeDir: work.folders.home,
    tmpDir: work.folders.tmp,
    prompt: checkpoint === null ? work.input.prompt : continuationPrompt,
    developerInstructions,
    model,
    sandboxMode: settings.sandboxMode,
    network: work.input.network ?? settings.network,
    provider: route === null ? null : { baseUrl: route.baseUrl, token: route.token },
    deniedPaths: deps.deniedPaths,
    resume:
      checkpoint === null ? null : { threadId: checkpoint.threadId, rolloutPath: checkpoint.rolloutPath },
    signal,
    onEvent: (event) => {
      watch.refresh();
      if (event.type === 'job.warning') warnings.push(event.message);
      context.emit(event);
    },
    onThread: async (started) => {
      Object.assign(thread, started);
      context.emit({ type: 'agent.thread', threadId: started.threadId, resumed: started.resumed });
      await context.saveCheckpoint({
        threadId: started.threadId,
        rolloutPath: started.rolloutPath,
        host: hostname(),
        workspaceDir: work.folders.workspace,
      });
      context.emit({ type: 'job.phase', phase: 'agent_working' });
    },
  });

  let turn: AgentTurnResult | null = null;
  let error: AppError | null = null;
  try {
    context.emit({
      type: 'job.phase',
      phase: work.checkpoint === null ? 'starting_agent' : 'resuming_agent',
    });
    turn = await runOrStartClean(deps, work, { request, warn, signal });
  } catch (caught) {
    if (!(caught instanceof AppError)) throw caught;
    error = caught;
  }
  if (turn !== null)
    Object.assign(thread, { threadId: turn.threadId, rolloutPath: turn.rolloutPath, resumed: turn.resumed });
  if (signal.aborted && signal.reason instanceof AppError) error = signal.reason;
  const usage = route?.usage() ?? turn?.usage ?? emptyReport.usage;
  return { turn, error, faults: route?.faults ?? [], usage, model, ...thread, warnings };

  function warn(message: string): void {
    warnings.push(message);
    context.emit({ type: 'job.warning', message });
  }
}

interface Tries {
  readonly request: (checkpoint: CodexCheckpoint | null) => AgentThreadRequest;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

/** Resumes where there is something to resume; where Codex refuses, starts over from the source, in a clean workspace, and says so. */
async function runOrStartClean(
  deps: CodexRunnerDeps,
  { checkpoint, folders }: AgentWork,
  tries: Tries,
): Promise<AgentTurnResult> {
  if (checkpoint !== null) {
    try {
      return await deps.driver.runThread(tries.request(checkpoint));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'thread_not_resumable') throw error;
      tries.warn(
        `The thread of the attempt before could not be resumed, so this one starts clean: ${error.message}`,
      );
      await prepareWorkspace(folders, tries.signal);
    }
  }
  return deps.driver.runThread(tries.request(null));
}
