import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inputChanges, type TaskInputs } from '../../domain/build-reason.ts';
import type { Job } from '../../domain/job.ts';
import type { Capstan } from '../open-capstan.ts';
import type { BuildState, TaskMemory } from './build-state.ts';
import type { FileHashes } from './file-hashes.ts';
import { outputFault } from './output-files.ts';
import type { BuildPlan, PlannedEntry, PlannedTask } from './plan-build.ts';
import { canonicalJson, taskKey } from './task-key.ts';

/** How a task stands before anything is done for it. */
export type Look =
  /** What is there is what would be made. */
  | { readonly kind: 'cached'; readonly memory: TaskMemory }
  /** A job of the same inputs has succeeded: its outputs are put in their place. */
  | {
      readonly kind: 'made';
      readonly inputs: TaskInputs;
      readonly key: string;
      readonly why: string;
      readonly job: Job;
    }
  | {
      readonly kind: 'to_make';
      readonly inputs: TaskInputs;
      readonly key: string;
      readonly why: string;
      readonly job: Job | null;
    };

export interface LookDeps {
  readonly capstan: Capstan;
  readonly plan: BuildPlan;
  readonly state: BuildState;
  readonly hashes: FileHashes;
  /** The version of a type's tool. */
  readonly toolOf: (type: string) => Promise<string>;
  /** Told that a type's worker has another tool than that. */
  readonly onToolChanged: (type: string) => void;
  /** One digest for all that an entry has made. */
  readonly digestOf: (entryId: string) => string;
}

export async function lookAtTask(
  deps: LookDeps,
  { entry, type }: PlannedEntry,
  task: PlannedTask,
): Promise<Look> {
  const { capstan, plan, state, hashes } = deps;
  const files: Record<string, string> = {};
  for (const file of task.plan.files)
    files[file] = (await hashes.hash(join(plan.root, file), type.links)) ?? 'missing';
  const inputs: TaskInputs = {
    type: entry.type,
    tool: await deps.toolOf(entry.type),
    options: Object.fromEntries(
      Object.entries(task.plan.options).map(([name, value]) => [name, canonicalJson(value)]),
    ),
    files,
    needs: Object.fromEntries(entry.needs.map((id) => [id, deps.digestOf(id)])),
  };
  const key = taskKey(inputs);
  const memory = state.tasks[task.id];
  const fault =
    memory?.key === key && memory.outputs !== null
      ? await outputFault(plan.outputDir, memory.outputs, hashes)
      : undefined;
  if (memory !== undefined && fault === null) return { kind: 'cached', memory };
  const why = fault ?? reasonOf(memory, inputs, key);
  const job = await capstan.store.jobByKey(key);
  const made = job?.status.state === 'succeeded' && isWhole(capstan, job);
  return job !== null && made
    ? { kind: 'made', inputs, key, why, job }
    : { kind: 'to_make', inputs, key, why, job };
}

function reasonOf(memory: TaskMemory | undefined, inputs: TaskInputs, key: string): string {
  if (memory === undefined) return 'it was not built here before';
  if (memory.key === key) return 'it failed the last time';
  return inputChanges(memory.inputs, inputs).join('; ') || 'its inputs changed';
}

/** Artifacts may have been removed since. */
function isWhole({ artifacts }: Capstan, job: Job): boolean {
  return (job.report?.artifacts ?? []).every(({ name }) => existsSync(artifacts.path(job.id, name)));
}
