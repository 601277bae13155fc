import { codexJobInputSchema, type CodexJobInput } from '../../contract/codex-job.ts';
import type { AttemptOutcome, AttemptReport, ClaimedJob } from '../../domain/job.ts';
import type { RunContext, Runner } from '../../domain/runner.ts';
import { jobFolders, type JobFolders } from '../../artifacts/job-folders.ts';
import { AppError, toFailure } from '../../runtime/app-error.ts';
import { startDeadline } from '../../runtime/deadline.ts';
import { giveBackFolders } from '../give-back-folders.ts';
import { checkpointOf } from './checkpoint.ts';
import type { CodexRunnerDeps } from './deps.ts';
import { deniedPaths, sayWithheld } from './denied-paths.ts';
import { discardJob } from './discard-job.ts';
import { finishedRun } from './finished-run.ts';
import { judge } from './judge.ts';
import { timedOut } from './limits.ts';
import { prepareAttempt } from './prepare-attempt.ts';
import { collectResult } from './collect-result.ts';
import { runAgent, type AgentRun } from './run-agent.ts';
import { runChecks } from './run-checks.ts';

/** Owns the driver and the proxy. Carries out `codex` jobs: a thread in the job's own workspace and HOME, then the real difference, the checks and the artifacts. */
export function createCodexRunner(deps: CodexRunnerDeps): Runner {
  return {
    type: 'codex',
    async start(signal) {
      await deps.driver.start(signal);
    },
    async run(claimed, context) {
      const input = codexJobInputSchema.safeParse(claimed.job.input);
      if (!input.success) throw invalidInput(claimed, input.error.message);
      const limitMs = input.data.timeoutMs ?? deps.settings.timeoutMs;
      using limit = startDeadline(limitMs, () => timedOut(limitMs));
      const signal = AbortSignal.any([context.signal, limit.signal]);
      return await runAttempt(deps, { claimed, input: input.data }, { ...context, signal });
    },
    giveBack: (job) => giveBackFolders(deps, job),
    async discard(job) {
      await discardJob(deps, job);
    },
    async [Symbol.asyncDispose]() {
      // The proxy goes last: whoever still speaks through it is ended first.
      await deps.driver[Symbol.asyncDispose]();
      await deps.proxy[Symbol.asyncDispose]();
    },
  };
}

interface Work {
  readonly claimed: ClaimedJob;
  readonly input: CodexJobInput;
}

async function runAttempt(
  deps: CodexRunnerDeps,
  { claimed, input }: Work,
  context: RunContext,
): Promise<AttemptOutcome> {
  const { job } = claimed;
  const folders = jobFolders(deps.dataDir, job.id);
  context.emit({ type: 'job.phase', phase: 'preparing' });
  await deps.checkSource(folders.source, context.signal);
  const { checkpoint, warning } = await prepareAttempt({ claimed, input, folders }, context.signal);
  const denied = await deniedPaths(deps, input);
  const warnings = [sayWithheld(input), warning].filter((message) => message !== null);
  for (const message of warnings) context.emit({ type: 'job.warning', message });
  const agentRun =
    finishedRun(checkpoint) ??
    (await runAgent(deps, { claimed, input, folders, denied, checkpoint, warnings }, context));

  if (isLost(context.signal)) throw context.signal.reason;
  // What the agent did is kept in every case: also a job that fails shows its difference and its transcript.
  const kept = checkpoint?.collected ?? null;
  if (kept === null) context.emit({ type: 'job.phase', phase: 'collecting' });
  const collected = kept ?? (await collectResult(deps, { job, folders, agentRun }));
  const verdict = judge(agentRun, context.signal);
  if (verdict.kind !== 'succeeded') return { ...verdict, report: collected } as AttemptOutcome;
  if (input.checks.length === 0) return { kind: 'succeeded', report: collected };

  if (kept === null) await saveCollected(context, { folders, agentRun, collected });
  context.emit({ type: 'job.phase', phase: 'checking' });
  const checks = await runChecks(deps, { claimed, input, folders, denied }, context);
  const report = { ...collected, resumed: agentRun.resumed, checks };
  const failed = checks.find(({ passed }) => !passed);
  if (context.signal.aborted) return { ...judge(agentRun, context.signal), report } as AttemptOutcome;
  if (failed === undefined) return { kind: 'succeeded', report };
  const failure = toFailure(
    new AppError(
      'agent',
      'check_failed',
      `The agent ended, but \`${failed.command}\` ${ending(failed.exitCode)} on its result.`,
      {
        hint: "The check's output and the patch are kept with the job; make the task clearer, or correct the result by hand.",
      },
    ),
  );
  return { kind: 'failed', failure, report };
}

interface Collecting {
  readonly folders: JobFolders;
  readonly agentRun: AgentRun;
  readonly collected: AttemptReport;
}

async function saveCollected(
  context: RunContext,
  { folders, agentRun, collected }: Collecting,
): Promise<void> {
  const { threadId, rolloutPath, model, usage, warnings } = agentRun;
  if (threadId === null) return;
  // The report has what was read in the last message.
  const finished = { finalMessage: null, model, usage, warnings };
  await context.saveCheckpoint(
    checkpointOf({ threadId, rolloutPath }, folders.workspace, { spent: usage, finished, collected }),
  );
}

function ending(exitCode: number | null): string {
  return exitCode === null ? 'could not be run to its end' : `exits ${exitCode}`;
}

function isLost(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof AppError && signal.reason.kind === 'lost';
}

function invalidInput({ job }: ClaimedJob, message: string): AppError {
  return new AppError('user', 'invalid_input', `The input of job ${job.id} cannot be read: ${message}`, {
    hint: 'Submit the job again.',
  });
}
