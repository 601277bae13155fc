import type { Job } from '../../domain/job.ts';
import { AppError } from '../../runtime/app-error.ts';
import { findJob } from './find-job.ts';
import type { JobServices } from './job-services.ts';
import { accept } from './submit-job.ts';

/** Runs a failed or cancelled job again as a new job on the same files; the old one stays as it is. Throws `retry_not_applicable`. */
export async function retryJob(services: Pick<JobServices, 'store' | 'jobTypes'>, id: string): Promise<Job> {
  const old = await findJob(services.store, id);
  const { state } = old.status;
  if (state !== 'failed' && state !== 'cancelled') {
    throw new AppError(
      'user',
      'retry_not_applicable',
      `Job ${id} is ${state}; only a failed or cancelled job is run again.`,
      {
        hint: state === 'succeeded' ? 'Submit a new job.' : 'Wait for it to end, or cancel it first.',
      },
    );
  }
  const { job } = await accept(services, old.input, {
    type: old.type,
    queue: old.queue,
    priority: old.priority,
    maxAttempts: old.maxAttempts,
    idempotencyKey: null,
    retryOf: old.id,
    runAtMs: null,
  });
  return job;
}
