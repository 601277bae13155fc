import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { z } from 'zod';
import { textsSchema } from '../../contract/build-manifest.ts';
import type { Artifact } from '../../contract/job.ts';
import { AppError } from '../../runtime/app-error.ts';
import type { BuildEntry, BuildType, CollectPlace, SubmitPlace, TaskPlan } from './build-type.ts';
import { globFiles } from './glob-files.ts';
import { placeNeeds } from './place-needs.ts';
import { staticFolder } from './static-folder.ts';

export interface DocumentBuildOptions {
  readonly formats: readonly [string, ...string[]];
  readonly defaultFormat: string;
  /** What jobs of this type know besides `source`, `files` and `formats`; goes into the job's input as it is. */
  readonly options: z.ZodRawShape;
  readonly tool: BuildType['tool'];
  readonly checkWorker?: BuildType['checkWorker'];
}

/** A type that turns each input file into files: one task for each, made again when that file or what it `uses` changes. */
export function documentBuildType(type: DocumentBuildOptions): BuildType {
  const format = z.enum(type.formats);
  return {
    optionsSchema: z.strictObject({
      input: textsSchema,
      format: z
        .union([format, z.array(format).min(1)])
        .transform((formats) => [...new Set([formats].flat())])
        .default([type.defaultFormat]),
      ...type.options,
    }),
    defaultId: ({ input }) => staticFolder(inputsOf(input)[0] ?? ''),
    async plan(entry, place) {
      const inputs = await filesOf(inputsOf(entry.options['input']), place);
      const uses = await filesOf(entry.uses, place, { mayBeNone: true });
      const { input: _input, ...options } = entry.options;
      return inputs.map((file) => ({
        name: file,
        files: [file, ...uses.filter((each) => each !== file)],
        options,
      }));
    },
    tool: type.tool,
    ...(type.checkWorker === undefined ? {} : { checkWorker: type.checkWorker }),
    async jobInput(entry, task, place) {
      const { input: _input, format: formats, ...rest } = entry.options;
      return { ...(await sourceOf(entry, task, place)), formats, ...rest };
    },
    async collect(job, { entry, plan }, { artifacts, folder }: CollectPlace) {
      for (const artifact of job.report?.artifacts ?? []) {
        const target = join(folder, outputPath({ entry, plan }, artifact));
        await mkdir(dirname(target), { recursive: true });
        await copyFile(artifacts.path(job.id, artifact.name), target);
      }
    },
  };
}

function inputsOf(input: unknown): readonly string[] {
  return textsSchema.parse(input);
}

async function filesOf(
  patterns: readonly string[],
  place: Parameters<BuildType['plan']>[1],
  { mayBeNone }: { readonly mayBeNone: boolean } = { mayBeNone: false },
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pattern of patterns) {
    const files = await globFiles(pattern, place);
    if (files.length === 0 && !mayBeNone) {
      throw new AppError('user', 'no_input', `'${pattern}' fits no file in ${place.root}`, {
        hint: 'Correct the pattern, or take the job out of the manifest.',
      });
    }
    found.push(...files);
  }
  return [...new Set(found)].sort();
}

/** Whether the job gets a folder, and not its file alone. */
function isStaged(entry: BuildEntry, { files }: TaskPlan): boolean {
  return files.length > 1 || entry.needs.length > 0;
}

/**
 * A file alone, or a folder in which all that it uses keeps its place, and what the needed jobs made lies as it does in the output: a path
 * from one to the other is the same there as here.
 */
async function sourceOf(
  entry: BuildEntry,
  task: TaskPlan,
  place: SubmitPlace,
): Promise<Record<string, unknown>> {
  const [file = '', ...uses] = task.files;
  if (!isStaged(entry, task)) return { source: { file: join(place.root, file) } };
  const staging = await place.staging();
  for (const each of [file, ...uses]) {
    const target = join(staging, inside(each));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(place.root, each), target);
  }
  await placeNeeds(staging, place);
  return { source: { dir: staging }, files: [inside(file)] };
}

/** Files from above the manifest's folder stay inside the staging and the output folder. */
function inside(path: string): string {
  return posix.normalize(path).replace(/^(?:\.\.\/)+/, '');
}

/** Where the input lies, there goes what is made of it. A job on a folder says so by itself. */
function outputPath(
  { entry, plan }: { readonly entry: BuildEntry; readonly plan: TaskPlan },
  { path, name }: Artifact & { readonly path?: string | undefined },
): string {
  const said = inside(path ?? name);
  return isStaged(entry, plan) ? said : posix.join(inside(posix.dirname(plan.files[0] ?? '')), said);
}
