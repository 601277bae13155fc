import { isDeepStrictEqual } from 'node:util';
import type { SubmitJob } from '../../contract/job.ts';
import type { BuildId, JobId } from '../../domain/ids.ts';
import type { Job } from '../../domain/job.ts';
import type { NewJob } from '../../domain/store.ts';
import { AppError } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import type { JobServices } from './job-services.ts';
import type { JobType } from '../types/job-types.ts';

export interface Submitted {
  readonly job: Job;
  /** False where the idempotency key was known: `job` is then the one accepted first. */
  readonly created: boolean;
}

type Services = Pick<JobServices, 'store' | 'jobTypes'>;

/** Accepts a job: its files are copied, its row is synced to disk. Throws `unknown_job_type`, `invalid_input`, `idempotency_conflict` or what the type's own checks say. */
export async function submitJob(
  services: Services,
  request: SubmitJob,
  buildId: BuildId | null = null,
): Promise<Submitted> {
  const type = findType(services, request.type);
  const parsed = type.inputSchema.safeParse(request.input);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => ({
      path: ['input', ...path].join('.'),
      message,
    }));
    throw new AppError(
      'user',
      'invalid_input',
      issues.map(({ path, message }) => `${path}: ${message}`).join('; '),
      {
        hint: `Correct the input of the ${request.type} job; nothing was accepted.`,
        details: { issues },
      },
    );
  }
  const key = request.idempotencyKey ?? null;
  // A build's key is a hash over all that the job is; nothing else can be asked for under it.
  const known = key === null || buildId !== null ? null : await services.store.jobByKey(key);
  // Before anything is copied: a caller that asks again gets its job also where the folder has gone meanwhile.
  if (known !== null) return { job: sameRequest(known, request, parsed.data), created: false };
  const submitted = await accept(services, parsed.data, {
    type: request.type,
    queue: request.queue ?? request.type,
    priority: request.priority,
    maxAttempts: request.maxAttempts,
    idempotencyKey: key,
    retryOf: null,
    runAtMs: request.runAt === undefined ? null : Date.parse(request.runAt),
    buildId,
  });
  // Another process may have been faster.
  if (!submitted.created && buildId === null) sameRequest(submitted.job, request, parsed.data);
  return submitted;
}

/** The job that has the key, where it was asked for the same; else throws `idempotency_conflict`. */
function sameRequest(job: Job, { type, queue, idempotencyKey }: SubmitJob, input: unknown): Job {
  const asked = [type, queue ?? type, asRequested(input)];
  if (isDeepStrictEqual(asked, [job.type, job.queue, asRequested(job.input)])) return job;
  throw new AppError(
    'user',
    'idempotency_conflict',
    `The idempotency key '${idempotencyKey ?? ''}' belongs to job ${job.id}, which was asked for something else.`,
    { hint: 'Use another key for another job; the same key gives the same job again.' },
  );
}

/** Written into the source when a job is accepted: no part of what was asked for. */
const writtenByUs: ReadonlySet<string> = new Set(['fingerprint', 'withheld']);

function asRequested(input: unknown): unknown {
  const plain: unknown = JSON.parse(JSON.stringify(input));
  if (typeof plain !== 'object' || plain === null || !('source' in plain)) return plain;
  const { source } = plain;
  if (typeof source !== 'object' || source === null) return plain;
  const asked = Object.entries(source).filter(([name]) => !writtenByUs.has(name));
  return { ...plain, source: Object.fromEntries(asked) };
}

/** The way into the store that new jobs and retries share: what was set aside for a job that is not accepted is given back. */
export async function accept(
  services: Services,
  input: unknown,
  rest: Omit<NewJob, 'id' | 'input'>,
): Promise<Submitted> {
  const type = findType(services, rest.type);
  const id = newId() as JobId;
  let created = false;
  try {
    const stored = await type.prepare(id, input, rest.retryOf);
    const submitted = await services.store.submitJob({ ...rest, id, input: stored });
    created = submitted.created;
    return submitted;
  } finally {
    if (!created) await type.discard(id);
  }
}

function findType({ jobTypes }: Services, name: string): JobType {
  const type = jobTypes.get(name);
  if (type !== undefined) return type;
  throw new AppError('user', 'unknown_job_type', `There is no job type '${name}'.`, {
    hint: `Known types: ${[...jobTypes.keys()].join(', ')}.`,
  });
}
