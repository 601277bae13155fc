import type { BuildId } from '../domain/ids.ts';
import type { NewWorker } from '../domain/worker.ts';
import { AppError } from '../runtime/app-error.ts';
import type { Capstan } from './open-capstan.ts';
import { startLocalWorker, type LocalWorker } from './start-local-worker.ts';
import type { WorkerTypes } from './worker-type.ts';

export interface StartWorkerOptions {
  readonly type: string;
  readonly name?: string | null;
  readonly buildId?: BuildId | null;
  readonly mode?: NewWorker['mode'];
  readonly concurrency?: number | undefined;
}

/** Starts a worker of one type in this process. Rejects with kind `configuration` or `auth` where no job could run. */
export async function startWorker(
  capstan: Capstan,
  types: WorkerTypes,
  options: StartWorkerOptions,
  drain: AbortSignal,
): Promise<LocalWorker> {
  const { config, store, logger } = capstan;
  const type = types.get(options.type);
  if (type === undefined) {
    throw new AppError('user', 'unknown_worker_type', `There is no worker type '${options.type}'.`, {
      hint: `There are: ${[...types.keys()].join(', ')}.`,
    });
  }
  const runner = await type.createRunner(capstan, drain);
  return startLocalWorker(
    {
      store,
      dataDir: config.dataDir,
      runners: [runner],
      concurrency: options.concurrency ?? config.worker.concurrency,
      name: options.name ?? null,
      buildId: options.buildId ?? null,
      mode: options.mode ?? 'direct',
      leaseMs: config.worker.leaseMs,
      drainGraceMs: config.worker.drainGraceMs,
      logger,
    },
    drain,
  );
}
