import type { JobId } from '../../domain/ids.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import type { Store } from '../../domain/store.ts';
import { AppError } from '../../runtime/app-error.ts';
import { jobNotFound } from './find-job.ts';

/** Cancels a waiting job at once and asks a running one's worker to stop it. A job that already ended is refused with `job_ended`, unless it was cancelled. */
export async function cancelJob(store: Store, id: string): Promise<Job> {
  const job = await store.cancelJob(id as JobId);
  if (job === null) throw jobNotFound(id);
  const { state } = job.status;
  if (isTerminal(state) && state !== 'cancelled') {
    throw new AppError('user', 'job_ended', `Job ${id} already ended: ${state}.`, {
      hint: 'Nothing was changed; a job that has ended stays as it is.',
    });
  }
  return job;
}
