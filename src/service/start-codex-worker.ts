import type { Capstan } from './open-capstan.ts';
import { createConfiguredCodexRunner } from './create-codex-runner.ts';
import { startLocalWorker, type LocalWorker } from './start-local-worker.ts';

export interface CodexWorkerOptions {
  readonly concurrency?: number | undefined;
  readonly drainGraceMs?: number | undefined;
}

/** Starts a worker for codex jobs in this process, as the configuration says. Rejects with kind `configuration` or `auth` where no job could run. */
export async function startCodexWorker(
  capstan: Capstan,
  options: CodexWorkerOptions,
  stop: { readonly drain: AbortSignal; readonly hurry?: AbortSignal },
): Promise<LocalWorker> {
  const { config, store, logger } = capstan;
  const runner = await createConfiguredCodexRunner(capstan, stop.drain);
  return startLocalWorker(
    {
      store,
      dataDir: config.dataDir,
      runners: [runner],
      concurrency: options.concurrency ?? config.worker.concurrency,
      leaseMs: config.worker.leaseMs,
      drainGraceMs: options.drainGraceMs ?? config.worker.drainGraceMs,
      logger,
    },
    stop.drain,
    stop.hurry,
  );
}
