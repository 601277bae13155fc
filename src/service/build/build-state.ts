import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { hasErrno } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';

const namedSchema = z.record(z.string(), z.string());
const taskSchema = z.object({
  key: z.string(),
  inputs: z.object({
    type: z.string(),
    tool: z.string(),
    options: namedSchema,
    files: namedSchema,
    needs: namedSchema,
  }),
  jobId: z.string(),
  /** Null where the task failed. */
  outputs: z.record(z.string(), z.string()).nullable(),
});
const stateSchema = z.object({
  version: z.literal(1),
  tasks: z.record(z.string(), taskSchema),
  hashes: z.record(z.string(), z.object({ stamp: z.string(), sha256: z.string(), atMs: z.number() })),
  tools: z
    .record(z.string(), z.object({ stamp: z.string(), version: z.string(), witnesses: z.array(z.string()) }))
    .default({}),
});

/** How a task was last made: from what, by which job, into which files (sha256 by path). */
export type TaskMemory = Readonly<z.infer<typeof taskSchema>>;
/** What a build of one manifest into one folder remembers. Only a short cut: without it, what was made is found in the store. */
export type BuildState = Readonly<z.infer<typeof stateSchema>>;

const emptyBuildState: BuildState = { version: 1, tasks: {}, hashes: {}, tools: {} };

export function buildStateFile(dataDir: string, manifest: string, outputDir: string): string {
  const name = createHash('sha256').update(`${manifest}\0${outputDir}`).digest('hex').slice(0, 32);
  return join(dataDir, 'builds', `${name}.json`);
}

/** A state that is missing, torn or of another version is none. */
export async function readBuildState(file: string): Promise<BuildState> {
  try {
    const parsed = JSON.parse(await readFile(file, 'utf8')) as BuildState;
    // Whole validation of thousands of tasks would cost more than it saves: one task stands for all, as one writer wrote them all.
    const [first] = Object.entries(parsed.tasks);
    const sample = { ...parsed, tasks: first === undefined ? {} : { [first[0]]: first[1] }, hashes: {} };
    return stateSchema.safeParse(sample).success ? parsed : emptyBuildState;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || hasErrno(error, 'ENOENT'))
      return emptyBuildState;
    throw error;
  }
}

/** In one step: another build, or a reader, sees the old state or the new one. */
export async function writeBuildState(file: string, state: BuildState): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${newId()}.tmp`;
  {
    await using handle = await open(temporary, 'w', 0o600);
    await handle.writeFile(JSON.stringify(state));
  }
  await rename(temporary, file);
}
