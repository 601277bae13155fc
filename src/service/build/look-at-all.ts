import { buildOrder } from '../../domain/build-graph.ts';
import { toFailure } from '../../runtime/app-error.ts';
import { keepOutputs, type KeepDeps } from './keep-outputs.ts';
import { lookAtTask, type Look, type LookDeps } from './look-at-task.ts';
import type { PlannedEntry, PlannedTask } from './plan-build.ts';
import { isMade, type TaskResult } from './task-result.ts';

/**
 * Does what needs no worker: tells what is up to date, and puts into its place what jobs have made before. Fills `results`; gives the looks at
 * what is to be made. Tasks that need something which is to be made are not looked at yet.
 */
export async function lookAtAll(
  deps: LookDeps & KeepDeps,
  results: Map<string, TaskResult>,
): Promise<ReadonlyMap<string, Look>> {
  const looks = new Map<string, Look>();
  const byId = new Map(deps.plan.entries.map((planned) => [planned.entry.id, planned]));
  const there = new Set<string>();
  for (const id of buildOrder(deps.plan.entries.map(({ entry }) => entry))) {
    const planned = byId.get(id);
    if (planned?.entry.needs.every((need) => there.has(need)) !== true) continue;
    for (const task of planned.tasks) {
      const look = await lookAtTask(deps, planned, task);
      const result = await settle(deps, { planned, task }, look);
      if (result === null) looks.set(task.id, look);
      else results.set(task.id, result);
    }
    if (planned.tasks.every((task) => isMade(results.get(task.id)))) there.add(id);
  }
  return looks;
}

/** The result of a task that needs no worker; null where it needs one. */
async function settle(
  deps: KeepDeps,
  { planned, task }: { readonly planned: PlannedEntry; readonly task: PlannedTask },
  look: Look,
): Promise<TaskResult | null> {
  const none = { durationMs: null, failure: null, memory: null };
  if (look.kind === 'cached') {
    const { jobId, outputs } = look.memory;
    for (const path of Object.keys(outputs ?? {})) deps.owners.set(path, task.id);
    return { ...none, state: 'cached', why: 'nothing changed', jobId, outputs };
  }
  if (look.kind === 'to_make') return null;
  try {
    return await keepOutputs(deps, { planned, task, look, job: look.job }, 'restored');
  } catch (error) {
    const failure = toFailure(error);
    return { ...none, state: 'failed', why: look.why, jobId: look.job.id, outputs: null, failure };
  }
}
