import { join } from 'node:path';
import { AppError } from '../runtime/app-error.ts';
import { showName } from './file-error.ts';

/** Where a job's files lie in the data folder. */
export interface JobFolders {
  /** Holds all the others but the artifacts. */
  readonly job: string;
  /** The folder as it was when the job was accepted; never written again. */
  readonly source: string;
  /** Where the agent works. */
  readonly workspace: string;
  /** The agent's HOME. */
  readonly home: string;
  /** The agent's TMPDIR, inside its home. */
  readonly tmp: string;
  readonly artifacts: string;
}

/** Refuses an id that could lead elsewhere when it becomes a part of a path. */
export function checkJobId(jobId: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(jobId)) return jobId;
  throw new AppError('user', 'invalid_job_id', `${showName(jobId)} is not a job id.`, {
    hint: 'List the jobs with `capstan jobs list`.',
  });
}

export function jobFolders(dataDir: string, jobId: string): JobFolders {
  const job = join(dataDir, 'jobs', checkJobId(jobId));
  const home = join(job, 'home');
  return {
    job,
    source: join(job, 'source'),
    workspace: join(job, 'workspace'),
    home,
    tmp: join(home, 'tmp'),
    artifacts: join(dataDir, 'artifacts', jobId),
  };
}
