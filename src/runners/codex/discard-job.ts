import { rm } from 'node:fs/promises';
import type { Job } from '../../domain/job.ts';
import { discardFolders, type DiscardDeps } from '../discard-folders.ts';
import { codexCheckpointSchema } from './checkpoint.ts';

/** Gives back an ended job's folders and the rollout of its thread. */
export async function discardJob(deps: DiscardDeps, job: Job): Promise<void> {
  await discardFolders(deps, job);
  const checkpoint = codexCheckpointSchema.safeParse(job.checkpoint);
  if (checkpoint.success && checkpoint.data.rolloutPath !== null)
    await rm(checkpoint.data.rolloutPath, { force: true });
}
