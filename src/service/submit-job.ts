import type { SubmitJob } from '../contract/job.ts';
import type { BuildId, JobId } from '../domain/ids.ts';
import type { Job } from '../domain/job.ts';
import type { NewJob } from '../domain/store.ts';
import { AppError } from '../runtime/app-error.ts';
import { newId } from '../runtime/ids.ts';
import type { JobServices } from './job-services.ts';
import type { JobType } from './job-types.ts';

export interface Submitted {
  readonly job: Job;
  /** False where the idempotency key was known: `job` is then the one accepted first. */
  readonly created: boolean;
}

type Services = Pick<JobServices, 'store' | 'jobTypes'>;

/** Accepts a job: its files are copied, its row is synced to disk. Throws `unknown_job_type`, `invalid_input` or what the type's own checks say. */
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
  return accept(services, parsed.data, {
    type: request.type,
    queue: request.queue ?? request.type,
    priority: request.priority,
    maxAttempts: request.maxAttempts,
    idempotencyKey: request.idempotencyKey ?? null,
    retryOf: null,
    runAtMs: request.runAt === undefined ? null : Date.parse(request.runAt),
    buildId,
  });
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
