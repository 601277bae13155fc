import type { WorkerDemand } from '../../domain/worker-plan.ts';
import { someoneServes } from '../workers/list-workers.ts';
import type { Capstan } from '../open-capstan.ts';
import type { OwnWorker } from '../workers/own-worker.ts';
import { createLaunchers } from './create-launchers.ts';
import type { LaunchSurroundings } from './launch-surroundings.ts';

export interface LaunchedWorkerOptions {
  /** What a container and its row are called; unique on the engine. */
  readonly name: string;
  readonly demand: WorkerDemand;
  readonly surroundings: LaunchSurroundings;
  /** Stops waiting for its start. */
  readonly signal: AbortSignal;
}

/** A command's own worker as the settings ask for it: in a container, for instance. It is started again where it dies. */
export function launchedWorker(
  capstan: Capstan,
  { name, demand, surroundings, signal }: LaunchedWorkerOptions,
): OwnWorker {
  const launchers = createLaunchers(capstan, surroundings);
  let starting: Promise<unknown> | null = null;
  const stop = async (): Promise<void> => {
    await launchers[Symbol.asyncDispose]();
  };
  return {
    failed: new Promise<never>(() => undefined),
    async ensure() {
      const { type, mode, image, source } = demand;
      if (starting !== null || (await someoneServes(capstan, type))) return;
      const spec = { name, type, buildId: null, lifetime: 'attached', image } as const;
      starting = launchers.get(mode).launch(spec, signal);
      await starting;
      capstan.logger.info({ type, mode, worker: name, source }, 'Worker started');
    },
    leave: stop,
    [Symbol.asyncDispose]: stop,
  };
}
