import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../../domain/store.ts';
import { hasErrno } from '../../runtime/app-error.ts';
import { codexCheckpointSchema } from '../../runners/codex/checkpoint.ts';
import type { DeleteDeps } from './delete-jobs.ts';

export interface LeftoverOptions {
  readonly olderThanMs: number;
  readonly dryRun?: boolean;
  readonly signal: AbortSignal;
}

/** How many files went. */
export interface Leftovers {
  /** Of services that are not there any more. */
  readonly logs: number;
  /** Threads of agents that belong to no job. */
  readonly threads: number;
}

/** A thread's file is there shortly before its job's checkpoint names it. */
const youngestMs = 3_600_000;
const pageSize = 100;

/**
 * Removes what has not been written to for so long and belongs to nobody: threads in our own CODEX_HOME that no job names, and logs of services that
 * are not registered. Both serve only who is there: nothing is lost with them where a database is put back.
 */
export async function pruneLeftovers(
  { store, dataDir, clock }: DeleteDeps,
  { olderThanMs, dryRun = false, signal }: LeftoverOptions,
): Promise<Leftovers> {
  const beforeMs = clock() - Math.max(olderThanMs, youngestMs);
  const remove = async (files: readonly string[]): Promise<number> => {
    if (!dryRun) for (const file of files) await rm(file, { force: true });
    return files.length;
  };
  const logs = await oldFiles(join(dataDir, 'logs'), /^capstan-service-.*\.log$/, beforeMs);
  const names = new Set((await store.listWorkers()).map(({ name }) => `${String(name)}.log`));
  const threads = await oldFiles(join(dataDir, 'codex-home', 'sessions'), rolloutName, beforeMs);
  const known = threads.length === 0 ? new Set<string>() : await knownThreads(store, signal);
  if (signal.aborted) return { logs: 0, threads: 0 };
  return {
    logs: await remove(logs.filter(({ name }) => !names.has(name)).map(({ path }) => path)),
    threads: await remove(
      threads
        .filter(({ name }) => !known.has(rolloutName.exec(name)?.groups?.['id'] ?? ''))
        .map(({ path }) => path),
    ),
  };
}

const rolloutName = /^rollout-.*-(?<id>[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.jsonl$/;

interface OldFile {
  readonly name: string;
  readonly path: string;
}

async function oldFiles(folder: string, wanted: RegExp, beforeMs: number): Promise<readonly OldFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  });
  const old: OldFile[] = [];
  for (const { name, parentPath } of entries.filter((entry) => entry.isFile() && wanted.test(entry.name))) {
    const path = join(parentPath, name);
    const found = await stat(path).catch(() => null); // Gone meanwhile.
    if (found !== null && found.mtimeMs < beforeMs) old.push({ name, path });
  }
  return old;
}

async function knownThreads(store: Store, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (let cursor: string | undefined; !signal.aborted;) {
    const page = await store.listJobs({
      type: 'codex',
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { checkpoint } of page.items) {
      const parsed = codexCheckpointSchema.safeParse(checkpoint);
      if (parsed.success) known.add(parsed.data.threadId);
    }
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return known;
}
