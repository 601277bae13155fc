import { readFile } from 'node:fs/promises';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { AppError, hasErrno } from '../../runtime/app-error.ts';
import { nearestName } from '../../config/nearest-name.ts';
import { withNeeds } from '../../domain/build-graph.ts';
import type { WorkerTypes } from '../types/worker-type.ts';
import type { BuildEntry, BuildType, TaskPlan } from './build-type.ts';
import { manifestError, type ManifestProblem } from './manifest-error.ts';
import { parseManifest } from './parse-manifest.ts';

export interface PlannedTask {
  /** Unique in the build. */
  readonly id: string;
  readonly plan: TaskPlan;
}

export interface PlannedEntry {
  readonly entry: BuildEntry;
  readonly type: BuildType;
  readonly tasks: readonly PlannedTask[];
}

/** A manifest with its files found: what is to be there at the end. */
export interface BuildPlan {
  readonly file: string;
  readonly root: string;
  readonly outputDir: string;
  readonly name: string;
  /** Those that were asked for, and what they need. */
  readonly entries: readonly PlannedEntry[];
  /** Ids of the others: what they have made stays as it is. */
  readonly others: ReadonlySet<string>;
}

export interface PlanOptions {
  /** The manifest. */
  readonly path: string;
  readonly cwd: string;
  readonly types: WorkerTypes;
  /** Ids to build; none: all. */
  readonly only: readonly string[];
}

/** Reads a manifest. Throws `manifest_missing`, `unknown_job`, or `invalid_manifest` with every place that is wrong. */
export async function planBuild({ path, cwd, types, only }: PlanOptions): Promise<BuildPlan> {
  const file = resolve(cwd, path);
  const shown = path;
  const root = dirname(file);
  const buildTypes = new Map([...types].map(([name, { build }]) => [name, build]));
  const manifest = parseManifest(shown, await read(file, path), buildTypes);
  const outputDir = resolve(root, manifest.output);
  if (outputDir === root || root.startsWith(`${outputDir}${sep}`)) {
    throw manifestError(shown, [
      { at: null, message: `output '${manifest.output}' must not hold the manifest itself` },
    ]);
  }
  const output = relative(root, outputDir).replaceAll(sep, '/');
  const wanted = select(manifest.entries, only);
  const exclude = output.startsWith('..') ? [] : [output];
  const problems: ManifestProblem[] = [];
  const entries: PlannedEntry[] = [];
  for (const entry of manifest.entries) {
    const type = buildTypes.get(entry.type);
    if (type === undefined || !wanted.has(entry.id)) continue;
    try {
      const plans = await type.plan(entry, { root, exclude });
      const tasks = plans.map((plan) => ({
        id: plan.name === '' ? entry.id : `${entry.id}:${plan.name}`,
        plan,
      }));
      entries.push({ entry, type, tasks });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'no_input') throw error;
      const key = 'source' in entry.options ? 'source' : 'input';
      problems.push({ at: manifest.at(entry, key), message: error.message });
    }
  }
  if (problems.length > 0) throw manifestError(shown, problems);
  const others = new Set(manifest.entries.map(({ id }) => id).filter((id) => !wanted.has(id)));
  return { file, root, outputDir, name: manifest.name ?? basename(root), entries, others };
}

/** The id of the job of the manifest that a task belongs to. */
export function entryOfTask(taskId: string): string {
  return taskId.split(':', 1)[0] ?? taskId;
}

function select(entries: readonly BuildEntry[], only: readonly string[]): ReadonlySet<string> {
  const ids = entries.map(({ id }) => id);
  for (const id of only) {
    if (ids.includes(id)) continue;
    const nearest = nearestName(id, ids);
    const meant = nearest === null ? '' : `; did you mean ${nearest}?`;
    throw new AppError('user', 'unknown_job', `The manifest has no job '${id}'${meant}`, {
      hint: `Its jobs are: ${ids.slice(0, 20).join(', ')}${ids.length > 20 ? ' …' : ''}`,
    });
  }
  return only.length === 0 ? new Set(ids) : withNeeds(entries, only);
}

async function read(file: string, shown: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'EISDIR', 'EACCES', 'ENOTDIR')) throw error;
    const message =
      error.code === 'ENOENT' ? `There is no ${shown}.` : `${shown} cannot be read: ${error.code ?? ''}.`;
    throw new AppError('user', 'manifest_missing', message, {
      hint: 'Name the manifest: capstan build course.yaml',
      cause: error,
    });
  }
}
