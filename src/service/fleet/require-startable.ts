import type { WorkerDemand } from '../../domain/worker-plan.ts';
import { AppError } from '../../runtime/app-error.ts';
import { seeWorkers } from '../workers/list-workers.ts';
import type { Capstan } from '../open-capstan.ts';
import type { WorkerTypes } from '../types/worker-type.ts';

/** A service by its name, and how it is to run. */
export interface NamedDemand {
  readonly name: string;
  readonly demand: WorkerDemand;
}

/** What no service of a type could do is said before any is started, with how the others start without it. */
export function requireCapable(capstan: Capstan, types: WorkerTypes, demands: readonly WorkerDemand[]): void {
  for (const { type } of demands) {
    try {
      types.get(type)?.build.checkWorker?.(capstan);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const others = demands.length === 1 ? '' : ` Or start the others without it: --${type}-workers=0`;
      throw new AppError(error.kind, error.code, `No ${type} service can work: ${error.message}`, {
        hint: `${error.hint}${others}`,
        cause: error,
      });
    }
  }
}

/**
 * A service is known by its name: one that runs in another mode is not started a second time beside itself.
 * Throws `services_in_other_mode`.
 */
export async function requireSameMode(capstan: Capstan, services: readonly NamedDemand[]): Promise<void> {
  for (const { worker, status } of await seeWorkers(capstan)) {
    const planned = services.find(({ name }) => name === worker.name);
    if (planned === undefined || status === 'dead' || planned.demand.mode === worker.mode) continue;
    const { name, demand } = planned;
    throw new AppError(
      'configuration',
      'services_in_other_mode',
      `${name} runs already, as ${worker.mode}, and is to run as ${demand.mode} (${demand.source}).`,
      { hint: 'Stop the services first: `capstan stop-services`.' },
    );
  }
}
