import type { BuildState } from './build-state.ts';
import type { FileHashes } from './file-hashes.ts';
import { removeOutput, type Outputs } from './output-files.ts';
import { entryOfTask, type BuildPlan } from './plan-build.ts';
import type { TaskResult } from './task-result.ts';

interface Ended {
  readonly results: ReadonlyMap<string, TaskResult>;
  readonly hashes: FileHashes;
}

/** What the tasks of an entry have made, together. */
export function outputsOf(
  plan: BuildPlan,
  results: ReadonlyMap<string, TaskResult>,
  entryId: string,
): Outputs {
  const planned = plan.entries.find(({ entry }) => entry.id === entryId);
  return Object.assign(
    {},
    ...(planned?.tasks ?? []).map(({ id }) => results.get(id)?.outputs ?? {}),
  ) as Outputs;
}

/** Removes what tasks of before made and no task makes now; what failed now keeps what it had. True where the state is to be written. */
export async function removeStale(
  { entries, outputDir, others }: BuildPlan,
  state: BuildState,
  { results, hashes }: Ended,
): Promise<boolean> {
  const left = Object.keys(state.tasks).filter((id) => others.has(entryOfTask(id)));
  const planned = new Set([...left, ...entries.flatMap(({ tasks }) => tasks.map(({ id }) => id))]);
  const kept = new Set(
    [...planned].flatMap((id) => Object.keys(results.get(id)?.outputs ?? state.tasks[id]?.outputs ?? {})),
  );
  let changed = false;
  for (const [id, { outputs }] of Object.entries(state.tasks)) {
    for (const output of Object.entries(outputs ?? {})) {
      if (kept.has(output[0])) continue;
      await removeOutput(outputDir, output, hashes);
      changed = true;
    }
    changed ||= !planned.has(id);
  }
  return changed;
}

/** What the next build is to know. */
export function nextState(
  { entries, others }: BuildPlan,
  state: BuildState,
  { results, hashes, tools }: Ended & { readonly tools: BuildState['tools'] },
): BuildState {
  const tasks: Record<string, BuildState['tasks'][string]> = {};
  for (const { id } of entries.flatMap((entry) => entry.tasks)) {
    const memory = results.get(id)?.memory ?? state.tasks[id];
    if (memory !== undefined) tasks[id] = memory;
  }
  for (const [id, memory] of Object.entries(state.tasks)) if (others.has(entryOfTask(id))) tasks[id] = memory;
  const known = others.size === 0 ? {} : state.hashes;
  return { version: 1, tasks, hashes: { ...known, ...hashes.used() }, tools };
}
