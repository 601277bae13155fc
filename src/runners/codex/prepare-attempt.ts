import { mkdir, stat } from 'node:fs/promises';
import type { JobFolders } from '../../artifacts/job-folders.ts';
import { prepareWorkspace } from '../../artifacts/prepare-workspace.ts';
import type { Job } from '../../domain/job.ts';
import { usableCheckpoint, type CodexCheckpoint } from './checkpoint.ts';

/**
 * Lays out the attempt's workspace and HOME: those of the killed attempt where its thread can be resumed in them, fresh ones from the source otherwise.
 * @returns the checkpoint to resume from, or null for a clean start
 */
export async function prepareAttempt(
  job: Job,
  folders: JobFolders,
  signal: AbortSignal,
): Promise<CodexCheckpoint | null> {
  const checkpoint = usableCheckpoint(job.checkpoint, folders.workspace);
  const kept = await stat(folders.workspace).catch(() => null);
  if (checkpoint !== null && kept?.isDirectory() === true) {
    await mkdir(folders.tmp, { recursive: true, mode: 0o700 });
    return checkpoint;
  }
  await prepareWorkspace(folders, signal);
  return null;
}
