import { readFile } from 'node:fs/promises';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { AppError, hasErrno } from '../../runtime/app-error.ts';
import type { WorkerTypes } from '../worker-type.ts';
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
  readonly entries: readonly PlannedEntry[];
}

/** Reads a manifest. Throws `manifest_missing`, or `invalid_manifest` with every place that is wrong. */
export async function planBuild(path: string, cwd: string, types: WorkerTypes): Promise<BuildPlan> {
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
  const exclude = output.startsWith('..') ? [] : [output];
  const problems: ManifestProblem[] = [];
  const entries: PlannedEntry[] = [];
  for (const entry of manifest.entries) {
    const type = buildTypes.get(entry.type);
    if (type === undefined) continue;
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
  return { file, root, outputDir, name: manifest.name ?? basename(root), entries };
}

async function read(file: string, shown: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'EISDIR', 'EACCES', 'ENOTDIR')) throw error;
    throw new AppError('user', 'manifest_missing', `${shown} cannot be read: ${error.code ?? ''}.`, {
      hint: 'Name the manifest: capstan build course.yaml',
      cause: error,
    });
  }
}
