import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { TaskState } from '../../contract/build-event.ts';
import type { Capstan } from '../open-capstan.ts';
import { buildStateFile, readBuildState, writeBuildState } from './build-state.ts';
import { FileHashes } from './file-hashes.ts';
import { lookAtAll } from './look-at-all.ts';
import type { LookDeps } from './look-at-task.ts';
import { finishedEvent, type TaskResult } from './task-result.ts';
import { sweepStaging } from './output-files.ts';
import { entryOfTask, planBuild } from './plan-build.ts';
import { createToolVersions } from './tool-versions.ts';
import type { RunBuildOptions } from './run-build-options.ts';
import { nextState, outputsOf, removeStale } from './remember.ts';

export interface BuildResult {
  readonly ok: boolean;
  /** By task, in no order. */
  readonly results: ReadonlyMap<string, TaskResult>;
}

const oldStagingMs = 3_600_000;
const good: ReadonlySet<TaskState> = new Set<TaskState>(['cached', 'restored', 'built']);

/**
 * Makes what a manifest says, and of that only what is not there already. Starts the workers that it needs before any job is accepted, and
 * stops them in every case. Throws `invalid_manifest`, `no_worker`, and what a worker's start fails with; a job's failure is a result.
 */
export async function runBuild(capstan: Capstan, options: RunBuildOptions): Promise<BuildResult> {
  const startedMs = performance.now();
  const { cwd, types, only } = options;
  const plan = await planBuild({ path: options.manifest, cwd, types, only });
  const stateFile = buildStateFile(capstan.config.dataDir, plan.file, plan.outputDir);
  const state = await readBuildState(stateFile);
  const hashes = new FileHashes(state.hashes);
  const results = new Map<string, TaskResult>();
  const tools = createToolVersions(capstan, {
    loaded: options.loaded,
    types,
    state,
    onNotice: options.surroundings.onNotice ?? (() => undefined),
    signal: options.interrupted,
  });
  const deps: LookDeps = {
    capstan,
    plan,
    state,
    hashes,
    toolOf: (type) => tools.of(type),
    onToolChanged: (type) => {
      tools.forget(type);
    },
    digestOf: (id) => digest(outputsOf(plan, results, id)),
  };
  await sweepStaging(plan.outputDir, async (path) => {
    const found = await stat(path).catch(() => null);
    return found !== null && capstan.clock() - found.mtimeMs > oldStagingMs;
  });

  const owners = new Map<string, string>();
  for (const [id, { outputs }] of Object.entries(state.tasks)) {
    if (plan.others.has(entryOfTask(id))) for (const path of Object.keys(outputs ?? {})) owners.set(path, id);
  }
  const looks = await lookAtAll({ ...deps, owners }, results);
  const tasks = plan.entries.flatMap((entry) => entry.tasks);
  const affected = tasks.filter(({ id }) => results.get(id)?.state !== 'cached').length;
  options.onEvent({
    type: 'build.started',
    name: plan.name,
    tasks: tasks.length,
    affected,
    jobs: plan.entries.map(({ entry, tasks: own }) => ({
      id: entry.id,
      type: entry.type,
      tasks: own.length,
      needs: [...entry.needs],
    })),
  });
  for (const { entry, tasks: own } of plan.entries) {
    for (const { id } of own) {
      const result = results.get(id);
      if (result !== undefined) options.onEvent(finishedEvent(id, entry.id, result));
    }
  }
  try {
    if (results.size < tasks.length) {
      // With workers, launchers and all: half as much again to load as the rest, and often there is nothing to make.
      const { makeAll } = await import('./make-all.ts');
      await makeAll(options, { ...deps, looks, results, owners });
    }
  } finally {
    const removed = await removeStale(plan, state, { results, hashes });
    if (affected > 0 || removed || hashes.changed || tools.changed())
      await writeBuildState(stateFile, nextState(plan, state, { results, hashes, tools: tools.known() }));
  }
  const ok = [...results.values()].every((result) => good.has(result.state));
  options.onEvent({
    type: 'build.finished',
    ok,
    counts: countStates(results),
    durationMs: Math.round(performance.now() - startedMs),
    output: plan.outputDir,
  });
  return { ok, results };
}

function digest(outputs: Readonly<Record<string, string>>): string {
  const parts = Object.entries(outputs).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function countStates(results: ReadonlyMap<string, TaskResult>): Record<TaskState, number> {
  const counts = { cached: 0, restored: 0, built: 0, failed: 0, skipped: 0, cancelled: 0 };
  for (const { state } of results.values()) counts[state] += 1;
  return counts;
}
