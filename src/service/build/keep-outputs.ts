import type { Job } from '../../domain/job.ts';
import { AppError } from '../../runtime/app-error.ts';
import { adviseWarning, missedIn } from './advise-uses.ts';
import type { Look, LookDeps } from './look-at-task.ts';
import { writeOutputs } from './output-files.ts';
import type { PlannedEntry, PlannedTask } from './plan-build.ts';
import type { TaskResult } from './task-result.ts';

export interface KeepDeps extends Pick<LookDeps, 'capstan' | 'plan' | 'hashes'> {
  /** Which task made which output: no two may make the same. */
  readonly owners: Map<string, string>;
}

export interface Kept {
  readonly planned: PlannedEntry;
  readonly task: PlannedTask;
  readonly look: Exclude<Look, { readonly kind: 'cached' }>;
  /** Has succeeded. */
  readonly job: Job;
}

/** Puts what a job has made into its place. Throws `output_taken` where another task makes the same. */
export async function keepOutputs(
  { capstan, plan, hashes, owners }: KeepDeps,
  { planned, task, look, job }: Kept,
  state: 'built' | 'restored',
): Promise<TaskResult> {
  const outputs = await writeOutputs(plan.outputDir, {
    hashes,
    fill: (folder) =>
      planned.type.collect(
        job,
        { entry: planned.entry, plan: task.plan },
        { artifacts: capstan.artifacts, folder },
      ),
    claim: (path) => {
      const owner = owners.get(path) ?? task.id;
      owners.set(path, owner);
      if (owner !== task.id) throw outputTaken(path, owner);
    },
  });
  const place = missedIn(plan, planned.entry, task);
  return {
    state,
    why: look.why,
    jobId: job.id,
    outputs,
    // How long it took to make it says nothing of how long it took to put it back.
    durationMs: state === 'built' ? durationOf(job) : null,
    failure: null,
    warnings: (job.report?.warnings ?? []).map((warning) => adviseWarning(warning, place)),
    memory: { key: look.key, inputs: look.inputs, jobId: job.id, outputs },
  };
}

export function durationOf({ startedAtMs, status }: Job): number | null {
  return startedAtMs !== null && 'finishedAtMs' in status ? status.finishedAtMs - startedAtMs : null;
}

function outputTaken(path: string, owner: string): AppError {
  return new AppError('user', 'output_taken', `${path} is made by ${owner}, too.`, {
    hint: 'Give one of them another name, or take it out of the manifest.',
  });
}
