import type { Capstan } from '../open-capstan.ts';
import type { LocalWorker } from './start-local-worker.ts';
import { startWorker, type StartWorkerOptions } from './start-worker.ts';

/** Starts a worker for codex jobs in this process, as the configuration says. Rejects with kind `configuration` or `auth` where no job could run. */
export async function startCodexWorker(
  capstan: Capstan,
  options: Omit<StartWorkerOptions, 'type'>,
  stop: { readonly drain: AbortSignal; readonly hurry?: AbortSignal },
): Promise<LocalWorker> {
  return startWorker(capstan, { ...options, type: 'codex' }, stop);
}
