import { rm } from 'node:fs/promises';
import type { Job } from '../../domain/job.ts';
import { discardFolders, type DiscardDeps } from '../discard-folders.ts';
import { codexCheckpointSchema } from './checkpoint.ts';

/** Gives back an ended job's folders and the rollout of its thread. */
export async function discardJob(deps: DiscardDeps, job: Job): Promise<void> {
  const checkpoint = codexCheckpointSchema.safeParse(job.checkpoint);
  if (checkpoint.success && checkpoint.data.rolloutPath !== null)
    await rm(checkpoint.data.rolloutPath, { force: true });
  // Last: by its folder a job is found whose worker was killed in the middle of this.
  await discardFolders(deps, job);
}
