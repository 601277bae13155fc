import { hostname } from 'node:os';
import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load-config.ts';
import { workerDemand } from '../../config/worker-settings.ts';
import type { LaunchedWorker, WorkerSpec } from '../../domain/launcher.ts';
import { boundWorkers, type WorkerDemand } from '../../domain/worker-plan.ts';
import { AppError } from '../../runtime/app-error.ts';
import { holdFile } from '../../store/sqlite/hold-file.ts';
import type { Capstan } from '../open-capstan.ts';
import { reap } from '../workers/reap.ts';
import type { WorkerTypes } from '../types/worker-type.ts';
import { databaseScope } from './database-scope.ts';
import { createLaunchers, type Launchers } from './create-launchers.ts';
import type { LaunchSurroundings } from './launch-surroundings.ts';
import { diskWarning, thisMachine } from './machine.ts';
import { requireCapable, requireSameMode } from './require-startable.ts';
import {
  readWorkerState,
  removeWorkerState,
  requireSameDatabase,
  writeWorkerState,
  type WorkerState,
} from './worker-state-file.ts';

export interface StartServicesOptions {
  readonly loaded: LoadedConfig;
  readonly types: WorkerTypes;
  readonly surroundings: LaunchSurroundings;
  readonly stateFile: string;
  /** Whether to wait until all take jobs. */
  readonly wait: boolean;
  readonly onWarning: (message: string) => void;
  readonly signal: AbortSignal;
}

export interface Service {
  readonly name: string;
  readonly type: string;
  readonly mode: string;
  readonly handle: string | null;
  readonly source: string;
}

/**
 * Starts the workers that the settings ask for, to outlive this process; those that run already stay. Resolves when all take jobs.
 * Where one does not start, those that this call started are stopped again. Throws `services_busy`, `no_services`, `other_database`,
 * `services_in_other_mode`.
 */
export async function startServices(
  capstan: Capstan,
  options: StartServicesOptions,
): Promise<readonly Service[]> {
  const { store, config, logger } = capstan;
  using held = holdFile(join(config.dataDir, 'services.lock'));
  if (held === null) {
    throw new AppError(
      'infrastructure',
      'services_busy',
      'Services of this data folder are being started or stopped.',
      {
        hint: 'Wait for the other command, then look with `capstan workers list`.',
      },
    );
  }
  const before = await readWorkerState(options.stateFile);
  if (before !== null) requireSameDatabase(before, config.dbPath, options.stateFile);
  await reap({ ...capstan, dataDir: config.dataDir });
  const asked = [...options.types.keys()].map((type) => workerDemand(options.loaded, type));
  const { demands, warnings } = boundWorkers(
    asked.filter(({ count }) => count > 0),
    thisMachine(),
  );
  const disk = diskWarning(config.dataDir);
  for (const warning of [...warnings, ...(disk === null ? [] : [disk])]) options.onWarning(warning);
  if (demands.length === 0) {
    throw new AppError('configuration', 'no_services', 'The settings ask for no worker of any type.', {
      hint: 'Set workers.default_worker_count, or the count of a type such as workers.plantuml.count.',
    });
  }
  requireCapable(capstan, options.types, demands);
  const planned = demands.flatMap((demand) => specsOf(demand, config.dbPath, options.wait));
  await requireSameMode(
    capstan,
    planned.map(({ spec: { name }, demand }) => ({ name, demand })),
  );
  const state: WorkerState = {
    version: 1,
    dbPath: config.dbPath,
    host: hostname(),
    startedAtMs: before?.startedAtMs ?? capstan.clock(),
    networkName: config.workers.networkName,
    workers: before?.workers ?? [],
  };
  // Written first, so that a start which is killed in the middle can be cleaned up after.
  await writeWorkerState(options.stateFile, merge(state, planned, []));
  await using launchers = createLaunchers(capstan, options.surroundings);
  const running = new Set((await launchersList(launchers, planned)).map(({ name }) => name));
  const results = await Promise.allSettled(
    planned.map(async ({ spec, demand }) => {
      const launched = await launchers.get(demand.mode).launch(spec, options.signal);
      const { type, mode, source } = demand;
      const workerId = (await store.listWorkers()).find(({ name }) => name === spec.name)?.id;
      logger.info(
        { type, mode, workerId, worker: spec.name, handle: launched.handle, source },
        'Worker started',
      );
      return launched;
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    const mine = planned.filter(({ spec }) => !running.has(spec.name));
    await Promise.allSettled(
      mine.map(({ spec, demand }) =>
        launchers.get(demand.mode).stop(spec.name, { graceMs: config.workers.stopTimeoutMs }),
      ),
    );
    await forget(capstan, new Set(mine.map(({ spec }) => spec.name)));
    if (before === null) await removeWorkerState(options.stateFile);
    else await writeWorkerState(options.stateFile, before);
    throw failed.reason;
  }
  const launched = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  await writeWorkerState(options.stateFile, merge(state, planned, launched));
  return planned.map(({ spec, demand }) => ({
    name: spec.name,
    type: spec.type,
    mode: demand.mode,
    handle: launched.find(({ name }) => name === spec.name)?.handle ?? null,
    source: demand.source,
  }));
}

interface Planned {
  readonly demand: WorkerDemand;
  readonly spec: WorkerSpec;
}

/** Services of two databases on one machine have different names. */
function specsOf(demand: WorkerDemand, dbPath: string, wait: boolean): readonly Planned[] {
  const scope = databaseScope(dbPath);
  return Array.from({ length: demand.count }, (_, at) => ({
    demand,
    spec: {
      name: `capstan-service-${scope}-${demand.type}-${at + 1}`,
      type: demand.type,
      buildId: null,
      lifetime: 'persistent',
      image: demand.image,
      wait,
    },
  }));
}

async function launchersList(
  launchers: Launchers,
  planned: readonly Planned[],
): Promise<readonly LaunchedWorker[]> {
  const modes = new Set(planned.map(({ demand }) => demand.mode));
  const lists = await Promise.all([...modes].map((mode) => launchers.get(mode).list()));
  return lists.flat().filter(({ state }) => state !== 'ended');
}

function merge(
  state: WorkerState,
  planned: readonly Planned[],
  launched: readonly LaunchedWorker[],
): WorkerState {
  const names = new Set(planned.map(({ spec }) => spec.name));
  const added = planned.map(({ spec: { name, type, image }, demand: { mode } }) => ({
    name,
    type,
    mode,
    image,
    handle: launched.find((each) => each.name === name)?.handle ?? null,
  }));
  return { ...state, workers: [...state.workers.filter(({ name }) => !names.has(name)), ...added] };
}

async function forget({ store }: Capstan, names: ReadonlySet<string>): Promise<void> {
  for (const { id, name } of await store.listWorkers())
    if (name !== null && names.has(name)) await store.removeWorker(id);
}
