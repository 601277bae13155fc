import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { jobFolders } from '../../artifacts/job-folders.ts';
import { removeTree } from '../../artifacts/remove-tree.ts';
import type { JobId } from '../../domain/ids.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import type { Store } from '../../domain/store.ts';
import { AppError, hasErrno } from '../../runtime/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { newId } from '../../runtime/ids.ts';
import { codexCheckpointSchema } from '../../runners/codex/checkpoint.ts';

export interface DeleteDeps {
  readonly store: Store;
  readonly dataDir: string;
  readonly clock: Clock;
}

const noteSchema = z.array(z.object({ id: z.string(), rolloutPath: z.string().nullable() }));
type Note = z.infer<typeof noteSchema>;

/** Nobody takes so long between a note and its commit. */
const abandonedMs = 600_000;

/**
 * Deletes jobs that have ended, with all that is kept of them; returns those that went. A note on disk says what is to go before the rows do, so
 * that a kill at any moment leaves either the whole job or files that `finishDeletions` removes.
 */
export async function deleteJobs(deps: DeleteDeps, jobs: readonly Job[]): Promise<readonly JobId[]> {
  const ended = jobs.filter(({ status }) => isTerminal(status.state));
  if (ended.length === 0) return [];
  const note = ended.map((job): Note[number] => ({ id: job.id, rolloutPath: rolloutOf(job) }));
  const file = join(notesDir(deps.dataDir), `${newId()}.json`);
  await writeNote(file, note);
  const deleted = await deps.store.deleteJobs(ended.map(({ id }) => id));
  const gone = new Set<string>(deleted);
  for (const each of note) if (gone.has(each.id)) await removeFiles(deps.dataDir, each);
  await rm(file, { force: true });
  return deleted;
}

/** Removes what is left of deleted jobs by processes that were killed in between. Safe to run anywhere at any time. */
export async function finishDeletions({ store, dataDir, clock }: DeleteDeps): Promise<void> {
  const dir = notesDir(dataDir);
  const names = await readdir(dir).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
  for (const name of names) {
    const file = join(dir, name);
    const note = await readNote(file);
    if (note === null) continue;
    let open = 0;
    for (const each of note) {
      // The row goes first: one that is there was not deleted, or is about to be.
      if ((await store.getJob(each.id as JobId)) === null) await removeFiles(dataDir, each);
      else open += 1;
    }
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: 0 }));
    if (open === 0 || clock() - mtimeMs > abandonedMs) await rm(file, { force: true });
  }
}

function notesDir(dataDir: string): string {
  return join(dataDir, 'deleting');
}

async function removeFiles(dataDir: string, { id, rolloutPath }: Note[number]): Promise<void> {
  const folders = jobFolders(dataDir, id);
  await removeTree(folders.artifacts);
  await removeTree(folders.job);
  if (rolloutPath !== null) await rm(rolloutPath, { force: true });
}

function rolloutOf({ checkpoint }: Job): string | null {
  const parsed = codexCheckpointSchema.safeParse(checkpoint);
  return parsed.success ? parsed.data.rolloutPath : null;
}

async function writeNote(file: string, note: Note): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  await using handle = await open(file, 'wx', 0o600);
  await handle.writeFile(JSON.stringify(note));
  await handle.sync();
}

/** Null where it is gone, or its writer was killed while it wrote: then nothing was deleted yet. */
async function readNote(file: string): Promise<Note | null> {
  try {
    return noteSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return [];
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Deletes one job. Throws `job_not_ended` where it still runs or waits, or a running build wants it. */
export async function deleteJob(deps: DeleteDeps, job: Job): Promise<void> {
  const [deleted] = await deleteJobs(deps, [job]);
  if (deleted !== undefined) return;
  throw new AppError(
    'user',
    'job_not_ended',
    `Job ${job.id} is ${job.status.state} or wanted by a build that runs.`,
    {
      hint: 'Cancel it first, or wait for its end.',
    },
  );
}
