import { rm } from 'node:fs/promises';
import type { JobFolders } from '../../artifacts/job-folders.ts';
import { prepareWorkspace } from '../../artifacts/prepare-workspace.ts';
import type { AgentThreadRequest, AgentTurnResult } from '../../codex/driver.ts';
import type { ProxyFault } from '../../codex/model-proxy/fault.ts';
import { failureOfTurn } from '../../codex/failures.ts';
import { refusedCommands, rolloutBytes } from '../../codex/refused-commands.ts';
import type { CodexJobInput } from '../../contract/codex-job.ts';
import type { Usage } from '../../contract/job.ts';
import { emptyReport, type ClaimedJob } from '../../domain/job.ts';
import type { RunContext } from '../../domain/runner.ts';
import { AppError } from '../../runtime/app-error.ts';
import { startDeadline } from '../../runtime/deadline.ts';
import { redactText } from '../../telemetry/redact-text.ts';
import { checkpointOf, spentBefore, type CodexCheckpoint } from './checkpoint.ts';
import type { CodexRunnerDeps, KeptLogin } from './deps.ts';
import { stalled } from './limits.ts';
import { startsClean } from './prepare-attempt.ts';
import { createEventRedactor } from './redact-events.ts';
import { readProjectInstructions } from './project-instructions.ts';
import { continuationPrompt, developerInstructions } from './prompts.ts';

/** What is known when the agent has ended, in whatever way. */
export interface AgentRun {
  /** Null where the agent gave no result: `error` says why. */
  readonly turn: AgentTurnResult | null;
  readonly error: AppError | null;
  /** What the model proxy saw the provider refuse; it knows better than the agent's words. */
  readonly faults: readonly ProxyFault[];
  /** Of all attempts so far, as metered by the proxy. */
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
  /** What no command may read. */
  readonly denied: readonly string[];
  /** What there is to say about the start already. */
  readonly warnings: readonly string[];
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
  const access = deps.access();
  using watch = startDeadline(settings.stallTimeoutMs, () => stalled(settings.stallTimeoutMs));
  const refusal = new AbortController();
  const before = spentBefore(job.checkpoint);
  using route =
    'refused' in access
      ? null
      : deps.proxy.open({
          attemptId: `${job.id}:${lease.attempt}`,
          upstream: access,
          onUsage: (usage) => {
            keepSpent(addUsage(before, usage));
          },
          onFault: (fault) => {
            const final = asFinal(fault, deps.clock());
            if (final !== null) refusal.abort(final);
          },
        });
  const signal = AbortSignal.any([context.signal, watch.signal, refusal.signal]);
  const thread = { threadId: null as string | null, rolloutPath: null as string | null, resumed: false };
  const warnings: string[] = [...work.warnings];
  const redact = createEventRedactor();
  const instructions = developerInstructions(readProjectInstructions(work.folders.source));

  const request = (checkpoint: CodexCheckpoint | null): AgentThreadRequest => ({
    jobId: job.id,
    attempt: lease.attempt,
    workspaceDir: work.folders.workspace,
    homeDir: work.folders.home,
    tmpDir: work.folders.tmp,
    prompt: checkpoint === null ? work.input.prompt : continuationPrompt,
    developerInstructions: instructions,
    model,
    sandboxMode: settings.sandboxMode,
    network: work.input.network ?? settings.network,
    provider: route === null ? null : { baseUrl: route.baseUrl, token: route.token },
    deniedPaths: work.denied,
    resume:
      checkpoint === null ? null : { threadId: checkpoint.threadId, rolloutPath: checkpoint.rolloutPath },
    signal,
    onEvent: (event) => {
      watch.refresh();
      if (event.type === 'job.warning') warnings.push(event.message);
      const safe = redact(event);
      if (safe !== null) context.emit(safe);
    },
    onThread: async (started) => {
      Object.assign(thread, started);
      context.emit({ type: 'agent.thread', threadId: started.threadId, resumed: started.resumed });
      await context.saveCheckpoint(checkpointOf(started, work.folders.workspace, { spent: before }));
      context.emit({ type: 'job.phase', phase: 'agent_working' });
    },
  });

  const heardBytes = await rolloutBytes(work.checkpoint?.rolloutPath ?? null);
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
  if (thread.rolloutPath !== null) {
    const from = thread.resumed ? heardBytes : 0;
    for (const event of await refusedCommands(thread.rolloutPath, from)) {
      const safe = redact(event);
      if (safe !== null) context.emit(safe);
    }
  }
  if ('refused' in access && turn !== null) error = refusedLogin(access, turn);
  if (signal.aborted && signal.reason instanceof AppError) error = signal.reason;
  const usage = addUsage(before, route?.usage() ?? turn?.usage ?? emptyReport.usage);
  if (turn?.status === 'completed' && (turn.finalMessage?.length ?? 0) <= maxKeptChars) {
    const finalMessage = turn.finalMessage === null ? null : redactText(turn.finalMessage);
    const finished = { finalMessage, model, usage, warnings };
    // Not waited for: where it cannot be stored, another attempt asks the agent once more, and no harm is done.
    context
      .saveCheckpoint(checkpointOf(turn, work.folders.workspace, { spent: usage, finished }))
      .catch(() => undefined);
  }
  return { turn, error, faults: route?.faults ?? [], usage, model, ...thread, warnings };

  /** What was used stays known when the worker is killed; not waited for. */
  function keepSpent(spent: Usage): void {
    const { threadId, rolloutPath } = thread;
    if (threadId === null) return;
    const checkpoint = checkpointOf({ threadId, rolloutPath }, work.folders.workspace, { spent });
    context.saveCheckpoint(checkpoint).catch(() => undefined);
  }

  function warn(message: string): void {
    warnings.push(message);
    context.emit({ type: 'job.warning', message });
  }
}

function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
  };
}

/** A limit that resets sooner is left to Codex, which waits for it by itself. */
const patienceMs = 30_000;

/**
 * The agent would try a refused key five times over, and sit out a limit for hours with the worker's slot in its hands: what it would
 * say in the end is known now. Null for what may pass.
 */
function asFinal(fault: ProxyFault, nowMs: number): AppError | null {
  if (fault.kind === 'auth') return new AppError('auth', 'key_refused', fault.message);
  const long = fault.kind === 'limit' && fault.untilMs !== null && fault.untilMs - nowMs > patienceMs;
  return long ? new AppError('limit', 'rate_limit', fault.message) : null;
}

/** There is no proxy of ours between the login and the provider: what Codex says of a refusal is all there is to know. */
function refusedLogin(login: KeptLogin, { status, error }: AgentTurnResult): AppError | null {
  if (status !== 'failed') return null;
  const { failure } = failureOfTurn({ error, faults: [] });
  return failure.code === 'key_refused' ? login.refused(failure.message) : null;
}

/** A longer message is not kept for another attempt. */
const maxKeptChars = 65_536;

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
      tries.warn(startsClean(error.message));
      await prepareWorkspace(folders, tries.signal);
      if (checkpoint.rolloutPath !== null) await rm(checkpoint.rolloutPath, { force: true });
    }
  }
  return deps.driver.runThread(tries.request(null));
}
