import type { JobFolders } from '../../artifacts/job-folders.ts';
import type { CodexJobInput } from '../../contract/codex-job.ts';
import type { Check } from '../../contract/job.ts';
import type { ClaimedJob } from '../../domain/job.ts';
import type { RunContext } from '../../domain/runner.ts';
import { redactText } from '../../telemetry/redact-text.ts';
import type { CodexRunnerDeps } from './deps.ts';

export interface ChecksWork {
  readonly claimed: ClaimedJob;
  readonly input: CodexJobInput;
  readonly folders: JobFolders;
  /** What no command may read. */
  readonly denied: readonly string[];
}

/** Runs the job's checks one after the other in the sandbox that the agent had, up to the first that fails. */
export async function runChecks(
  deps: CodexRunnerDeps,
  work: ChecksWork,
  context: RunContext,
): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const command of work.input.checks) {
    const { exitCode, output } = await deps.runSandboxed({
      jobId: work.claimed.job.id,
      attempt: work.claimed.lease.attempt,
      command,
      workspaceDir: work.folders.workspace,
      homeDir: work.folders.home,
      tmpDir: work.folders.tmp,
      sandboxMode: deps.settings.sandboxMode,
      network: work.input.network ?? deps.settings.network,
      deniedPaths: work.denied,
      signal: context.signal,
    });
    const check: Check = { command, passed: exitCode === 0, exitCode, output: redactText(output) };
    checks.push(check);
    context.emit({ type: 'job.check', check });
    if (!check.passed || context.signal.aborted) break;
  }
  return checks;
}
