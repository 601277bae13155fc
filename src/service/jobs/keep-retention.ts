import { every } from '../every.ts';
import type { Capstan } from '../open-capstan.ts';
import { pruneLeftovers } from './prune-leftovers.ts';
import { pruneJobs } from './prune-jobs.ts';

const pruneEveryMs = 3_600_000;

/** Deletes jobs, and what belongs to no job or service, as old as `retention.*` says, now and every hour; nothing where nothing is said. Disposing it waits for the page that goes on. */
export function keepRetention(capstan: Capstan): AsyncDisposable {
  const { config, logger } = capstan;
  const { succeededMs, failedMs } = config.retention;
  const stop = new AbortController();
  const prune = async (): Promise<void> => {
    const rules = [
      { olderThanMs: succeededMs, states: ['succeeded'] as const },
      { olderThanMs: failedMs, states: ['failed', 'cancelled'] as const },
    ];
    for (const { olderThanMs, states } of rules) {
      if (olderThanMs === null || stop.signal.aborted) continue;
      const { jobs, artifactBytes } = await pruneJobs(capstan, { olderThanMs, states, signal: stop.signal });
      if (jobs.length > 0)
        logger.info({ jobs: jobs.length, artifactBytes, states }, 'Old jobs were deleted, as retention says');
    }
    const ages = [succeededMs, failedMs].filter((ms) => ms !== null);
    if (ages.length === 0 || stop.signal.aborted) return;
    const left = await pruneLeftovers(capstan, { olderThanMs: Math.max(...ages), signal: stop.signal });
    if (left.logs + left.threads > 0)
      logger.info({ ...left }, 'What belonged to no job or service was deleted, as retention says');
  };
  const onError = (error: unknown): void => {
    logger.warn({ err: error }, 'Old jobs could not be deleted');
  };
  const first = prune().catch(onError);
  const timer = every(pruneEveryMs, prune, onError);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await first;
      await timer[Symbol.asyncDispose]();
    },
  };
}
