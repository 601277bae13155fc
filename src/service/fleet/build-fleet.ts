import type { LoadedConfig } from '../../config/load-config.ts';
import { workerDemand } from '../../config/worker-settings.ts';
import type { BuildId } from '../../domain/ids.ts';
import { AppError } from '../../runtime/app-error.ts';
import { boundWorkers, type WorkerDemand } from '../../domain/worker-plan.ts';
import { isServing, seeWorkers } from '../workers/list-workers.ts';
import type { Capstan } from '../open-capstan.ts';
import type { Launchers } from './create-launchers.ts';
import { diskWarning, thisMachine } from './machine.ts';
import { noWorker } from './no-worker.ts';

export interface FleetOptions {
  readonly capstan: Capstan;
  readonly loaded: LoadedConfig;
  readonly launchers: Launchers;
  readonly buildId: BuildId;
  /** The queue of the tool that this build's jobs of a type are to be made with. */
  readonly queueOf: (type: string) => Promise<string>;
  /** Starts workers even where persistent ones would do. */
  readonly forceNew: boolean;
  /** Told before the build fails for it. */
  readonly onToolChanged: (type: string) => void;
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
  /** Workers that take this build's jobs of these types now, by type. */
  serving(types: Iterable<string>): Promise<ReadonlyMap<string, number>>;
}

export function createBuildFleet(options: FleetOptions): BuildFleet {
  const { capstan, loaded, launchers, buildId, queueOf } = options;
  const { store, config, logger } = capstan;
  const launched = new Set<string>();

  /** Workers in service that take this build's jobs, and those besides that take others of these types alone. */
  async function count(types: Iterable<string>, whose: (owner: BuildId | null) => boolean): Promise<Served> {
    const workers = (await seeWorkers(capstan))
      .filter(({ worker, status }) => whose(worker.buildId) && isServing(status))
      .map(({ worker }) => worker);
    const [fit, unfit] = [new Map<string, number>(), new Map<string, number>()];
    for (const type of types) {
      const same = workers.filter((worker) => worker.types.includes(type));
      if (same.length === 0) continue;
      const queue = await queueOf(type);
      const count = same.filter(({ queues }) => queues.includes(queue)).length;
      if (count > 0) fit.set(type, count);
      if (count < same.length) unfit.set(type, same.length - count);
    }
    return { fit, unfit };
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
    const worker = (await store.listWorkers()).find((each) => each.name === name);
    if (worker?.queues.includes(await queueOf(type)) === false) {
      options.onToolChanged(type);
      throw toolChanged(type, worker.queues);
    }
    const workerId = worker?.id;
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
      const { fit: healthy, unfit } = await count(tasks.keys(), (owner) => owner === null);
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
        const types = nobody.map(({ type }) => type);
        throw noWorker(types, [...types.flatMap((type) => describeUnfit(type, unfit)), why].join(', and '));
      }
      const { demands, warnings } = boundWorkers(
        wanted.filter((demand) => demand.count > 0),
        thisMachine(),
      );
      const disk = diskWarning(config.dataDir);
      for (const warning of [...warnings, ...(disk === null ? [] : [disk])]) options.onWarning(warning);
      await warnOfHung();
      if (!options.forceNew)
        for (const { type } of demands)
          for (const words of describeUnfit(type, unfit))
            options.onWarning(`This build starts workers of its own: ${words}.`);
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
    serving: async (types) => (await count(types, (owner) => owner === null || owner === buildId)).fit,
  };
}

interface Served {
  readonly fit: ReadonlyMap<string, number>;
  readonly unfit: ReadonlyMap<string, number>;
}

function describeUnfit(type: string, unfit: ReadonlyMap<string, number>): readonly string[] {
  const count = unfit.get(type) ?? 0;
  if (count === 0) return [];
  const those =
    count === 1 ? `the ${type} worker that runs works` : `the ${count} ${type} workers that run work`;
  return [`${those} with another tool, version or image than this build asks for`];
}

function toolChanged(type: string, queues: readonly string[]): AppError {
  return new AppError(
    'infrastructure',
    'tool_changed',
    `The tool of ${type} jobs has changed since this build looked at it: its worker serves ${queues.join(' and ')}.`,
    { hint: 'Build again.' },
  );
}
