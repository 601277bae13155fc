import type { LoadedConfig } from '../../config/load-config.ts';
import { workerDemand } from '../../config/worker-settings.ts';
import type { BuildId } from '../../domain/ids.ts';
import { boundWorkers, type WorkerDemand } from '../../domain/worker-plan.ts';
import { isServing, seeWorkers } from '../list-workers.ts';
import type { Capstan } from '../open-capstan.ts';
import type { Launchers } from './create-launchers.ts';
import { diskWarning, thisMachine } from './machine.ts';
import { noWorker } from './no-worker.ts';

export interface FleetOptions {
  readonly capstan: Capstan;
  readonly loaded: LoadedConfig;
  readonly launchers: Launchers;
  readonly buildId: BuildId;
  /** Starts workers even where persistent ones would do. */
  readonly forceNew: boolean;
  readonly onUsed: (used: UsedWorkers) => void;
  readonly onWarning: (message: string) => void;
}

export interface UsedWorkers {
  readonly demand: WorkerDemand;
  /** Persistent ones that are healthy. */
  readonly reused: number;
  readonly started: number;
}

/** The workers of one build: persistent ones that are there, and its own, which serve it alone and go with the launchers. */
export interface BuildFleet {
  /**
   * Makes sure that somebody takes jobs of these types, as many as there are tasks for at most. Rejects with what a start failed with,
   * or `no_worker`.
   */
  ensure(tasks: ReadonlyMap<string, number>, signal: AbortSignal): Promise<void>;
  /** Workers that take this build's jobs now, by type. */
  serving(): Promise<ReadonlyMap<string, number>>;
}

export function createBuildFleet(options: FleetOptions): BuildFleet {
  const { capstan, loaded, launchers, buildId } = options;
  const { store, config, logger } = capstan;
  const launched = new Set<string>();

  async function count(whose: (owner: BuildId | null) => boolean): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const { worker, status } of await seeWorkers(capstan)) {
      if (!whose(worker.buildId) || !isServing(status)) continue;
      for (const type of worker.types) counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    return counts;
  }

  /** Whether it is a new one: one that has died is started again by whoever keeps it alive. */
  async function launch(
    { type, mode, image, source }: WorkerDemand,
    number: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const name = `capstan-build-${buildId.slice(-12)}-${type}-${number}`;
    const spec = { name, type, buildId, lifetime: 'attached', image } as const;
    const { handle } = await launchers.get(mode).launch(spec, signal);
    const workerId = (await store.listWorkers()).find((worker) => worker.name === name)?.id;
    if (launched.has(name)) return false;
    logger.info({ type, mode, workerId, worker: name, handle, source }, 'Worker started');
    launched.add(name);
    return true;
  }

  /** Whoever pauses a worker may want it so, or not know what waits for it. */
  async function warnOfHung(): Promise<void> {
    for (const { worker, status } of await seeWorkers(capstan)) {
      if (worker.buildId !== buildId || status !== 'hung') continue;
      options.onWarning(
        `The worker ${worker.name ?? worker.id} hangs or is paused: its jobs wait until it goes on, or is ended (\`capstan workers list\`).`,
      );
    }
  }

  return {
    async ensure(tasks, signal) {
      const healthy = await count((owner) => owner === null);
      const reusable = (type: string): number => (options.forceNew ? 0 : (healthy.get(type) ?? 0));
      const wanted = [...tasks].map(([type, most]) => {
        const demand = workerDemand(loaded, type);
        const missing = Math.max(0, Math.min(demand.count, most) - reusable(type));
        return { ...demand, count: config.workers.autoStart ? missing : 0 };
      });
      const nobody = wanted.filter(
        ({ type, count: started }) => started === 0 && (healthy.get(type) ?? 0) === 0,
      );
      if (nobody.length > 0) {
        const why = config.workers.autoStart
          ? `the settings ask for none (${nobody[0]?.source ?? ''})`
          : 'workers are not started automatically (workers.auto_start)';
        throw noWorker(
          nobody.map(({ type }) => type),
          why,
        );
      }
      const { demands, warnings } = boundWorkers(
        wanted.filter((demand) => demand.count > 0),
        thisMachine(),
      );
      const disk = diskWarning(config.dataDir);
      for (const warning of [...warnings, ...(disk === null ? [] : [disk])]) options.onWarning(warning);
      await warnOfHung();
      const started = new Map<string, number>();
      await Promise.all(
        demands.flatMap((demand) =>
          Array.from({ length: demand.count }, async (_, at) => {
            const isNew = await launch(demand, at + 1, signal);
            if (isNew) started.set(demand.type, (started.get(demand.type) ?? 0) + 1);
          }),
        ),
      );
      for (const demand of wanted) {
        const used = { reused: reusable(demand.type), started: started.get(demand.type) ?? 0 };
        if (used.reused + used.started > 0) options.onUsed({ demand, ...used });
      }
    },
    serving: () => count((owner) => owner === null || owner === buildId),
  };
}
