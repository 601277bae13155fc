import { cp } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { textsSchema } from '../../contract/build-manifest.ts';
import { unpackArchive } from '../../artifacts/unpack-archive.ts';
import { findCodex } from '../../codex/find-codex.ts';
import { parseDuration } from '../../config/duration.ts';
import { artifactNames } from '../../runners/codex/artifact-names.ts';
import { AppError } from '../../runtime/app-error.ts';
import { noKey } from '../doctor/examine-codex.ts';
import { codexName } from '../types/codex-name.ts';
import type { BuildType, SubmitPlace } from './build-type.ts';
import { filesUnder, globFiles } from './glob-files.ts';
import { lstat } from './file-hashes.ts';
import { placeNeeds } from './place-needs.ts';
import { staticFolder } from './static-folder.ts';

const week = 7 * 24 * 3_600_000;
const durationError = 'must be a duration such as 90s, 30m or 2h';

const optionsSchema = z.strictObject({
  source: z.string().trim().min(1),
  prompt: z.string().trim().min(1).max(1_000_000),
  model: z.string().min(1).optional(),
  checks: textsSchema.optional(),
  timeout: z
    .preprocess(parseDuration, z.int({ error: durationError }).min(1, durationError).max(week, durationError))
    .optional(),
  network: z.boolean().optional(),
});
type Options = z.infer<typeof optionsSchema>;

/** Where an agent finds what the jobs that its own needs have made. */
const needsFolder = 'needs';

/** One task: an agent works on a copy of `source`, in which `needs/` holds what the needed jobs made; its final tree is the output. */
export const codexBuildType: BuildType = {
  optionsSchema,
  links: 'named',
  defaultId: ({ source }) => staticFolder(`${String(source)}/x`),
  async plan(entry, place) {
    const { source, ...options } = optionsSchema.parse(entry.options);
    const folder = lstat(join(place.root, source));
    if (folder?.isDirectory() !== true) {
      throw new AppError('user', 'no_input', `'${source}' is no folder in ${place.root}`, {
        hint: 'Name the folder that the agent is to work on.',
      });
    }
    const files = await filesUnder(source, place);
    const uses = (await Promise.all(entry.uses.map((pattern) => globFiles(pattern, place)))).flat();
    return [{ name: '', files: [...new Set([...files, ...uses])].sort(), options }];
  },
  async tool({ config, commandPath }, signal) {
    const { version, path } = await findCodex({ bin: config.codex.bin, path: commandPath, signal });
    return { version: codexName(version, config.codex.model), witnesses: [path] };
  },
  checkWorker({ config, profile }) {
    if (config.codex.auth === 'profile' && profile.openaiApiKey === null) throw noKey();
  },
  async jobInput(entry, _task, place) {
    const options: Options = optionsSchema.parse(entry.options);
    const { prompt, model, checks, timeout, network } = options;
    return {
      prompt: `${prompt}${tellNeeds(Object.keys(place.needs))}`,
      source: { dir: await sourceOf(options, place) },
      ...(checks === undefined ? {} : { checks }),
      ...(model === undefined ? {} : { model }),
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      ...(network === undefined ? {} : { network }),
    };
  },
  async collect(job, { entry }, { artifacts, folder }) {
    // With `needs/`: what the agent links there is to hold wherever the tree goes.
    await unpackArchive(artifacts.path(job.id, artifactNames.result), join(folder, entry.id));
  },
};

const shownNeeds = 30;

/** An agent looks only where it knows that there is something. */
function tellNeeds(paths: readonly string[]): string {
  if (paths.length === 0) return '';
  const shown = paths.slice(0, shownNeeds).map((path) => `- ${needsFolder}/${path}`);
  const more = paths.length > shownNeeds ? [`- and ${String(paths.length - shownNeeds)} more`] : [];
  const said = `The folder ${needsFolder}/ holds what other jobs have made for this one; it stays with the result, so link to it as it is:`;
  return `\n\n${[said, ...shown, ...more].join('\n')}`;
}

async function sourceOf({ source }: Options, place: SubmitPlace): Promise<string> {
  const folder = join(place.root, source);
  if (Object.keys(place.needs).length === 0) return folder;
  if (lstat(join(folder, needsFolder)) !== null) {
    throw new AppError(
      'user',
      'needs_in_the_way',
      `${join(source, needsFolder)} is in the way of what the job needs.`,
      {
        hint: 'Rename it: the agent finds there what the needed jobs have made.',
      },
    );
  }
  const staging = await place.staging();
  const output = relative(folder, place.outputDir).split(sep);
  const skipped = output[0] === '..' ? null : place.outputDir;
  await cp(folder, staging, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (from) => from !== skipped && !from.endsWith(`${sep}.capstan`),
  });
  await placeNeeds(join(staging, needsFolder), place);
  return staging;
}
