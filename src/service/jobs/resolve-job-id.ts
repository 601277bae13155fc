import type { JobId } from '../../domain/ids.ts';
import type { Store } from '../../domain/store.ts';
import { AppError } from '../../runtime/app-error.ts';
import { jobNotFound } from './find-job.ts';

const shortest = 4;
const shown = 5;

/** The id that a person wrote, whole or its beginning. Throws `job_not_found`, or `ambiguous_job_id` where several begin so. */
export async function resolveJobId(store: Store, written: string): Promise<JobId> {
  const whole = await store.getJob(written as JobId);
  if (whole !== null) return whole.id;
  if (!/^[0-9a-f][0-9a-f-]*$/.test(written) || written.length < shortest) throw jobNotFound(written);
  const found = await store.findJobIds(written, shown + 1);
  const [only] = found;
  if (only === undefined) throw jobNotFound(written);
  if (found.length === 1) return only;
  const more = found.length > shown ? ', …' : '';
  throw new AppError('user', 'ambiguous_job_id', `Several jobs begin with '${written}'.`, {
    hint: `Write more of it: ${found.slice(0, shown).join(', ')}${more}.`,
  });
}
