import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobState } from '../../contract/job.ts';
import { terminalStates, type Job } from '../../domain/job.ts';
import { hasErrno } from '../../runtime/app-error.ts';
import { deleteJobs, finishDeletions, type DeleteDeps } from './delete-jobs.ts';

export interface PruneOptions {
  readonly olderThanMs: number;
  /** Of the jobs that have ended; none: all of them. */
  readonly states?: readonly (typeof terminalStates)[number][];
  /** Also jobs whose results a build remembers: it makes them again where their outputs are gone. */
  readonly builds?: boolean;
  readonly dryRun?: boolean;
  readonly signal: AbortSignal;
}

export interface Pruned {
  readonly jobs: readonly { readonly id: string; readonly state: JobState }[];
  /** Of the artifacts that went. */
  readonly artifactBytes: number;
  /** Old enough, but remembered by a build. */
  readonly keptForBuilds: number;
}

const pageSize = 100;

/** Deletes jobs that ended long ago, page by page; what was deleted stays so when the signal aborts. */
export async function pruneJobs(deps: DeleteDeps, options: PruneOptions): Promise<Pruned> {
  const { store, dataDir, clock } = deps;
  const { states = terminalStates, dryRun = false, signal } = options;
  if (!dryRun) await finishDeletions(deps);
  const remembered = options.builds === true ? new Set<string>() : await rememberedJobs(dataDir);
  const beforeMs = clock() - options.olderThanMs;
  const jobs: Job[] = [];
  let keptForBuilds = 0;
  for (let cursor: string | undefined; !signal.aborted;) {
    const page = await store.listEnded({
      states,
      beforeMs,
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const old = page.items.filter(({ id }) => !remembered.has(id));
    keptForBuilds += page.items.length - old.length;
    const gone = dryRun ? null : new Set(await deleteJobs(deps, old));
    jobs.push(...old.filter(({ id }) => gone === null || gone.has(id)));
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  const artifacts = jobs.flatMap(({ report }) => report?.artifacts ?? []);
  return {
    jobs: jobs.map(({ id, status }) => ({ id, state: status.state })),
    artifactBytes: artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    keptForBuilds,
  };
}

/** The jobs that builds put their outputs back from. A file that cannot be read remembers nothing. */
async function rememberedJobs(dataDir: string): Promise<ReadonlySet<string>> {
  const dir = join(dataDir, 'builds');
  const names = await readdir(dir).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
  const ids = new Set<string>();
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    const text = await readFile(join(dir, name), 'utf8').catch(() => '');
    for (const [, id = ''] of text.matchAll(/"jobId":"([^"]+)"/g)) ids.add(id);
  }
  return ids;
}
