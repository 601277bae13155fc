import type { BuildId } from '../../domain/ids.ts';
import type { Runner } from '../../domain/runner.ts';
import type { ContainerIdentity, NewWorker } from '../../domain/worker.ts';
import type { Capstan } from '../open-capstan.ts';
import { createRunner } from '../types/create-runner.ts';
import { startLocalWorker, type LocalWorker, type LocalWorkerOptions } from './start-local-worker.ts';
import { imageTool } from './tool-queue.ts';
import type { WorkerType } from '../types/worker-types.ts';

export interface StartWorkerOptions {
  readonly type:
    WorkerType | { readonly createRunner: (capstan: Capstan, signal: AbortSignal) => Promise<Runner> };
  /** What its launcher calls it. */
  readonly name?: string | null;
  /** The build that it serves alone. */
  readonly buildId?: BuildId | null;
  readonly mode?: NewWorker['mode'];
  /** The container that it runs in. */
  readonly container?: ContainerIdentity | null;
  /** The id of that container's image. */
  readonly imageId?: string | null;
  readonly concurrency?: number | undefined;
  readonly drainGraceMs?: number | undefined;
  readonly onTrouble?: LocalWorkerOptions['onTrouble'];
}

/** Starts a worker for jobs of one type in this process, as the configuration says. Rejects with kind `configuration` or `auth` where no job could run. */
export async function startWorker(
  capstan: Capstan,
  options: StartWorkerOptions,
  stop: { readonly drain: AbortSignal; readonly hurry?: AbortSignal },
): Promise<LocalWorker> {
  const { config, store, logger } = capstan;
  const { type, imageId = null } = options;
  const runner =
    typeof type === 'string'
      ? await createRunner(type, capstan, stop.drain)
      : await type.createRunner(capstan, stop.drain);
  return startLocalWorker(
    {
      store,
      dataDir: config.dataDir,
      runners: [runner],
      concurrency: options.concurrency ?? config.worker.concurrency,
      name: options.name ?? null,
      buildId: options.buildId ?? null,
      mode: options.mode ?? 'direct',
      container: options.container ?? null,
      containers: capstan.containers,
      tool: imageId === null ? null : imageTool(runner.type, { imageId, model: config.codex.model }),
      leaseMs: config.worker.leaseMs,
      drainGraceMs: options.drainGraceMs ?? config.worker.drainGraceMs,
      logger,
      onTrouble: options.onTrouble,
    },
    stop.drain,
    stop.hurry,
  );
}
