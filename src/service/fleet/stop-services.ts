import { join } from 'node:path';
import type { ExecutionMode } from '../../domain/launcher.ts';
import { AppError, toFailure } from '../../runtime/app-error.ts';
import { holdFile } from '../../store/sqlite/hold-file.ts';
import { seeWorkers } from '../workers/list-workers.ts';
import type { Capstan } from '../open-capstan.ts';
import { createLaunchers } from './create-launchers.ts';
import type { LaunchSurroundings } from './launch-surroundings.ts';
import { readWorkerState, removeWorkerState, requireSameDatabase } from './worker-state-file.ts';

export interface StopServicesOptions {
  readonly surroundings: LaunchSurroundings;
  readonly stateFile: string;
  /** Goes on where the state file belongs to another database, and leaves that file alone. */
  readonly force: boolean;
  readonly graceMs: number;
}

export interface StoppedService {
  readonly name: string;
  readonly type: string;
  readonly mode: ExecutionMode;
}

const servicePrefix = 'capstan-service-';

/**
 * Stops the services of this database: each may finish within the grace, then it is killed; rows and the state file go. Those of which the
 * state file knows nothing are found by their rows. Throws `other_database`; `services_not_stopped` where one could not be ended.
 */
export async function stopServices(
  capstan: Capstan,
  options: StopServicesOptions,
): Promise<readonly StoppedService[]> {
  const { store, config, logger } = capstan;
  const state = await readWorkerState(options.stateFile);
  if (state !== null && !options.force) requireSameDatabase(state, config.dbPath, options.stateFile);
  const ours = state?.dbPath === config.dbPath ? state : null;
  using held = holdFile(join(config.dataDir, 'services.lock'));
  if (held === null) {
    throw new AppError(
      'infrastructure',
      'services_busy',
      'Services of this data folder are being started or stopped.',
      {
        hint: 'Wait for the other command.',
      },
    );
  }
  // By mode as well: two that go by one name are two to be stopped.
  const known = new Map<string, StoppedService>();
  const note = (service: StoppedService): void => {
    known.set(`${service.mode} ${service.name}`, service);
  };
  for (const { name, type, mode } of ours?.workers ?? []) note({ name, type, mode });
  for (const { name, types, mode, buildId } of await store.listWorkers()) {
    const isService = name?.startsWith(servicePrefix) === true && buildId === null && mode !== 'kubernetes';
    if (isService && !known.has(`${mode} ${name}`)) note({ name, type: types.join(','), mode });
  }
  await using launchers = createLaunchers(capstan, options.surroundings);
  const results = await Promise.allSettled(
    [...known.values()].map(async (service) => {
      await launchers.get(service.mode).stop(service.name, { graceMs: options.graceMs });
      logger.info({ worker: service.name, type: service.type, reason: 'stop-services' }, 'Worker stopped');
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  for (const { worker, status } of await seeWorkers(capstan))
    if (worker.name !== null && known.has(`${worker.mode} ${worker.name}`) && status === 'dead')
      await store.removeWorker(worker.id);
  if (failed !== undefined) {
    throw new AppError(
      'infrastructure',
      'services_not_stopped',
      `A service could not be stopped: ${toFailure(failed.reason).message}`,
      {
        hint: 'The state file stays; try again, or look with `capstan workers list`.',
        cause: failed.reason,
      },
    );
  }
  if (ours !== null) await removeWorkerState(options.stateFile);
  return [...known.values()];
}
