import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../../artifacts/remove-tree.ts';
import type { JobId } from '../../domain/ids.ts';
import { isTerminal } from '../../domain/job.ts';
import type { Logger } from '../../domain/logger.ts';
import type { Runner } from '../../domain/runner.ts';
import type { Store } from '../../domain/store.ts';
import { hasErrno } from '../../runtime/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';

export interface SweepDeps {
  readonly store: Store;
  readonly dataDir: string;
  readonly runners: readonly Runner[];
  readonly logger: Logger;
  readonly clock: Clock;
}

/** A folder without a job may belong to one that is being accepted right now, but not for so long. */
const orphanMs = 3_600_000;

/** Removes what is left of jobs that ended without a worker to clean up after them, and of those that were never accepted. */
export async function sweepJobs(deps: SweepDeps): Promise<void> {
  const folder = join(deps.dataDir, 'jobs');
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
  for (const name of names) {
    try {
      await sweep(deps, join(folder, name), name as JobId);
    } catch (error) {
      deps.logger.warn({ err: error, jobId: name }, 'What an ended job left could not be removed');
    }
  }
}

async function sweep({ store, runners, clock }: SweepDeps, folder: string, id: JobId): Promise<void> {
  const job = await store.getJob(id);
  if (job === null) {
    const { mtimeMs } = await stat(folder);
    if (clock() - mtimeMs > orphanMs) await removeTree(folder);
    return;
  }
  if (!isTerminal(job.status.state)) return;
  await runners.find(({ type }) => type === job.type)?.discard?.(job);
}
