import { withDependents } from '../../domain/build-graph.ts';
import { AppError } from '../../runtime/app-error.ts';
import type { BuildEntry } from './build-type.ts';
import type { LookDeps } from './look-at-task.ts';
import type { BuildPlan } from './plan-build.ts';

/** What no worker could do fails before any is started, with what can be built without it. */
export function checkWorkers(
  { capstan, plan }: Pick<LookDeps, 'capstan' | 'plan'>,
  types: ReadonlySet<string>,
): void {
  for (const { entry, type } of plan.entries) {
    if (!types.has(entry.type)) continue;
    try {
      type.checkWorker?.(capstan);
    } catch (error) {
      throw error instanceof AppError ? cannotMake(plan, entry, error) : error;
    }
  }
}

function cannotMake({ entries }: BuildPlan, { id, type }: BuildEntry, error: AppError): AppError {
  const nodes = entries.map(({ entry }) => entry);
  const lost = withDependents(
    nodes,
    new Set(nodes.filter((node) => node.type === type).map((node) => node.id)),
  );
  const rest = nodes.filter((node) => !lost.has(node.id)).map((node) => node.id);
  const others = rest.length === 0 ? '' : ` Or build the rest without it: --only ${rest.join(',')}`;
  return new AppError(error.kind, error.code, `The ${type} job '${id}' cannot be built. ${error.message}`, {
    hint: `${error.hint}${others}`,
    cause: error,
  });
}
