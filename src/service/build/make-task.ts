import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildEvent } from '../../contract/build-event.ts';
import { submitJobSchema } from '../../contract/job.ts';
import { removeTree } from '../../artifacts/remove-tree.ts';
import type { BuildId } from '../../domain/ids.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import { AppError, toFailure } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import { adviseUses, adviseWarning, missedIn } from './advise-uses.ts';
import { submitJob } from '../jobs/submit-job.ts';
import { toolQueue } from '../workers/tool-queue.ts';
import type { JobWatch } from './job-watch.ts';
import { lookAtTask, type Look, type LookDeps } from './look-at-task.ts';
import { durationOf, keepOutputs, type KeepDeps } from './keep-outputs.ts';
import type { Outputs } from './output-files.ts';
import type { PlannedEntry, PlannedTask } from './plan-build.ts';
import type { TaskResult } from './task-result.ts';

export interface MakeDeps extends LookDeps, KeepDeps {
  readonly looks: ReadonlyMap<string, Look>;
  readonly buildId: BuildId;
  readonly watch: JobWatch;
  /** Aborts when nothing more is to be made. */
  readonly stop: AbortSignal;
  /** What the needed jobs made. */
  readonly needed: Outputs;
  /** A needed job that has not been made. */
  readonly broken: string | null;
  readonly onEvent: (event: BuildEvent) => void;
}

/** Somebody waits for it, though less eagerly than for a `run`. */
const priority = 5;
const nothing = { jobId: null, outputs: null, durationMs: null, failure: null, memory: null } as const;

/** One task from a look to its outputs in place. Never rejects: what goes wrong is its result. */
export async function makeTask(
  deps: MakeDeps,
  planned: PlannedEntry,
  task: PlannedTask,
): Promise<TaskResult> {
  try {
    deps.stop.throwIfAborted();
    if (deps.broken !== null)
      return { ...nothing, state: 'skipped', why: `it needs ${deps.broken}, which was not made` };
    const look = deps.looks.get(task.id) ?? (await lookAtTask(deps, planned, task));
    if (look.kind === 'cached') {
      const { jobId, outputs } = look.memory;
      return { ...nothing, state: 'cached', why: 'nothing changed', jobId, outputs };
    }
    return look.kind === 'made'
      ? await keepOutputs(deps, { planned, task, look, job: look.job }, 'restored')
      : await make(deps, { planned, task, look });
  } catch (error) {
    if (deps.stop.aborted) return { ...nothing, state: 'cancelled', why: 'the build was stopped' };
    if (!(error instanceof AppError))
      deps.capstan.logger.error({ err: error, task: task.id }, 'A task failed unexpectedly');
    return { ...nothing, state: 'failed', why: 'it could not be made', failure: toFailure(error) };
  }
}

interface Work {
  readonly planned: PlannedEntry;
  readonly task: PlannedTask;
  readonly look: Exclude<Look, { readonly kind: 'cached' }>;
}

async function make(deps: MakeDeps, work: Work): Promise<TaskResult> {
  const { look, task, planned } = work;
  const submitted = await submit(deps, work);
  deps.onEvent({
    type: 'task.queued',
    task: task.id,
    job: planned.entry.id,
    jobId: submitted.id,
    why: look.why,
  });
  const job = isTerminal(submitted.status.state) ? submitted : await deps.watch.ended(submitted.id);
  const { status } = job;
  if (status.state === 'succeeded') return keepOutputs(deps, { ...work, job }, 'built');
  if (status.state === 'cancelled' && deps.stop.aborted)
    return { ...nothing, state: 'cancelled', why: 'the build was stopped', jobId: job.id };
  const place = missedIn(deps.plan, planned.entry, task);
  return {
    ...nothing,
    state: 'failed',
    why: look.why,
    jobId: job.id,
    durationMs: durationOf(job),
    failure: 'failure' in status ? adviseUses(status.failure, place) : null,
    warnings: (job.report?.warnings ?? []).map((warning) => adviseWarning(warning, place)),
    memory: { key: look.key, inputs: look.inputs, jobId: job.id, outputs: null },
  };
}

/** The job of these inputs: one that is on its way already, or a new one. A failed one has had its turn. */
async function submit(deps: MakeDeps, { planned, task, look }: Work): Promise<Job> {
  const { capstan, plan, buildId } = deps;
  const ended = look.job !== null && isTerminal(look.job.status.state);
  if (look.job !== null && ended) await capstan.store.releaseKey(look.job.id);
  const staging = join(capstan.config.dataDir, 'tmp', newId());
  try {
    const input = await planned.type.jobInput(planned.entry, task.plan, {
      root: plan.root,
      outputDir: plan.outputDir,
      needs: deps.needed,
      hashes: deps.hashes,
      staging: async () => {
        await mkdir(staging, { recursive: true, mode: 0o700 });
        return staging;
      },
    });
    const request = submitJobSchema.parse({
      type: planned.entry.type,
      queue: toolQueue(planned.entry.type, look.inputs.tool),
      input,
      priority,
      idempotencyKey: look.key,
    });
    const { job } = await submitJob(capstan, request, buildId);
    return job;
  } finally {
    await removeTree(staging);
  }
}
