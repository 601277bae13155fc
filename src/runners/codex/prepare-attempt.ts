import { mkdir, rm, stat } from 'node:fs/promises';
import type { JobFolders } from '../../artifacts/job-folders.ts';
import { prepareWorkspace } from '../../artifacts/prepare-workspace.ts';
import { endAttempt } from '../../codex/end-attempt.ts';
import { rolloutHasTask } from '../../codex/rollout-has-task.ts';
import type { CodexJobInput } from '../../contract/codex-job.ts';
import type { ClaimedJob } from '../../domain/job.ts';
import { usableCheckpoint, type CodexCheckpoint } from './checkpoint.ts';

export interface Prepared {
  /** What to resume from; null for a clean start. */
  readonly checkpoint: CodexCheckpoint | null;
  /** Why there is nothing to resume although an earlier attempt had begun; null where none had, or there is. */
  readonly warning: string | null;
}

export interface Preparing {
  readonly claimed: ClaimedJob;
  readonly input: CodexJobInput;
  readonly folders: JobFolders;
}

/**
 * Lays out the attempt's workspace and HOME: those of the killed attempt where its thread can be resumed in them, fresh ones from the
 * source otherwise. Whatever earlier attempts still run on this host is ended before: they may write into the same folders.
 */
export async function prepareAttempt(
  { claimed, input, folders }: Preparing,
  signal: AbortSignal,
): Promise<Prepared> {
  const { job, lease } = claimed;
  for (let attempt = 1; attempt < lease.attempt; attempt += 1) await endAttempt({ jobId: job.id, attempt });
  const checkpoint = usableCheckpoint(job.checkpoint, folders.workspace);
  const missing = await whatIsMissing(checkpoint, input, folders);
  if (missing === null) {
    await mkdir(folders.tmp, { recursive: true, mode: 0o700 });
    return { checkpoint, warning: null };
  }
  await prepareWorkspace(folders, signal);
  const rolloutPath = checkpoint?.rolloutPath ?? null;
  if (rolloutPath !== null) await rm(rolloutPath, { force: true });
  return { checkpoint: null, warning: job.checkpoint === null ? null : startsClean(missing) };
}

/** In words; null where the thread can be tried in its workspace. */
async function whatIsMissing(
  checkpoint: CodexCheckpoint | null,
  { prompt }: CodexJobInput,
  folders: JobFolders,
): Promise<string | null> {
  const workspace = await stat(folders.workspace).catch(() => null);
  if (checkpoint === null || workspace?.isDirectory() !== true) return 'its workspace is not here';
  const { rolloutPath, finished } = checkpoint;
  if (finished !== null || rolloutPath === null) return null;
  const hasTask = await rolloutHasTask(rolloutPath, prompt);
  return hasTask === false ? 'it had not been given its task yet' : null;
}

export function startsClean(why: string): string {
  return `The thread of the attempt before could not be resumed, so this one starts clean: ${why}`;
}
