import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ArtifactStorage } from '../artifacts/artifact-storage.ts';
import { jobFolders } from '../artifacts/job-folders.ts';
import { removeTree } from '../artifacts/remove-tree.ts';
import type { Job } from '../domain/job.ts';
import { hasErrno } from '../runtime/app-error.ts';

export interface DiscardDeps {
  readonly dataDir: string;
  readonly artifacts: ArtifactStorage;
}

/** Removes what an ended job has left but its artifacts, and, where it has not succeeded and may be run again, its source. */
export async function discardFolders({ dataDir, artifacts }: DiscardDeps, job: Job): Promise<void> {
  const folders = jobFolders(dataDir, job.id);
  if (job.status.state === 'succeeded') await removeTree(folders.job);
  else {
    const others = (await namesIn(folders.job)).filter((name) => name !== basename(folders.source));
    await Promise.all(others.map((name) => removeTree(join(folders.job, name))));
  }
  await artifacts.tidy(job.id);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
}
