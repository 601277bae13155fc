import { mkdir, rm, stat } from 'node:fs/promises';
import type { JobFolders } from '../../artifacts/job-folders.ts';
import { prepareWorkspace } from '../../artifacts/prepare-workspace.ts';
import { endAttempt } from '../../codex/end-attempt.ts';
import type { ClaimedJob } from '../../domain/job.ts';
import { usableCheckpoint, type CodexCheckpoint } from './checkpoint.ts';

export interface Prepared {
  /** What to resume from; null for a clean start. */
  readonly checkpoint: CodexCheckpoint | null;
  /** Why there is nothing to resume although an earlier attempt had begun; null where none had, or there is. */
  readonly warning: string | null;
}

/**
 * Lays out the attempt's workspace and HOME: those of the killed attempt where its thread can be resumed in them, fresh ones from the
 * source otherwise. Whatever earlier attempts still run on this host is ended before: they may write into the same folders.
 */
export async function prepareAttempt(
  { job, lease }: ClaimedJob,
  folders: JobFolders,
  signal: AbortSignal,
): Promise<Prepared> {
  for (let attempt = 1; attempt < lease.attempt; attempt += 1) await endAttempt({ jobId: job.id, attempt });
  const checkpoint = usableCheckpoint(job.checkpoint, folders.workspace);
  const kept = await stat(folders.workspace).catch(() => null);
  if (checkpoint !== null && kept?.isDirectory() === true) {
    await mkdir(folders.tmp, { recursive: true, mode: 0o700 });
    return { checkpoint, warning: null };
  }
  await prepareWorkspace(folders, signal);
  if (checkpoint !== null && checkpoint.rolloutPath !== null)
    await rm(checkpoint.rolloutPath, { force: true });
  const warning = job.checkpoint === null ? null : startsClean('its workspace is not here');
  return { checkpoint: null, warning };
}

export function startsClean(why: string): string {
  return `The thread of the attempt before could not be resumed, so this one starts clean: ${why}`;
}
