import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { findUpwards } from '../../config/find-upwards.ts';
import { executionModes } from '../../domain/launcher.ts';
import { AppError, hasErrno } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';

const workerStateSchema = z.object({
  version: z.literal(1),
  dbPath: z.string(),
  host: z.string(),
  startedAtMs: z.number(),
  networkName: z.string(),
  workers: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      mode: z.enum(executionModes),
      image: z.string().nullable(),
      /** Process or container id as it was at the start; null while it starts. */
      handle: z.string().nullable(),
    }),
  ),
});
/** The services that were started, so that they can be stopped: also by a command that is told nothing. */
export type WorkerState = Readonly<z.infer<typeof workerStateSchema>>;

/** In the nearest `.capstan` folder, or in the data folder where there is none: the file must not make a project of any folder. */
export function workerStateFile(cwd: string, dataDir: string): string {
  return join(findUpwards(cwd, '.capstan', 'folder') ?? dataDir, 'worker-state.json');
}

/** Null where there is none. Throws `worker_state_damaged`. */
export async function readWorkerState(file: string): Promise<WorkerState | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
  const parsed = workerStateSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new AppError('configuration', 'worker_state_damaged', `${file} cannot be read.`, {
    hint: 'Remove it; `capstan workers list` shows the services that run, `capstan workers cleanup --all` stops them.',
  });
}

/** In one step and for the owner alone. */
export async function writeWorkerState(file: string, state: WorkerState): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${newId()}.tmp`;
  {
    await using handle = await open(temporary, 'wx', 0o600);
    await handle.writeFile(`${JSON.stringify(state, null, 2)}\n`);
    await handle.sync();
  }
  await rename(temporary, file);
}

export async function removeWorkerState(file: string): Promise<void> {
  await rm(file, { force: true });
}

/** Refuses to touch what belongs to another database. */
export function requireSameDatabase(state: WorkerState, dbPath: string, file: string): void {
  if (state.dbPath === dbPath) return;
  throw new AppError(
    'configuration',
    'other_database',
    `The services of ${file} work on ${state.dbPath}, not on ${dbPath}.`,
    { hint: `Use --db-path=${state.dbPath}, or --force to leave those alone and go on with ${dbPath}.` },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
