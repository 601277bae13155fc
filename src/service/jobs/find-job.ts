import type { JobId } from '../../domain/ids.ts';
import type { Job } from '../../domain/job.ts';
import type { Store } from '../../domain/store.ts';
import { AppError } from '../../runtime/app-error.ts';

/** The job, or AppError `job_not_found` (kind `user`). */
export async function findJob(store: Store, id: string): Promise<Job> {
  const job = await store.getJob(id as JobId);
  if (job === null) throw jobNotFound(id);
  return job;
}

export function jobNotFound(id: string): AppError {
  return new AppError('user', 'job_not_found', `There is no job '${id}' in this data folder.`, {
    hint: 'See `capstan jobs list`; another data folder is chosen with CAPSTAN_DATA or --db-path.',
  });
}
