import type { Database } from 'better-sqlite3';
import type { BuildId, JobId } from '../../../domain/ids.ts';
import type { JobState } from '../../../contract/job.ts';
import type { BuildRecord } from '../../../domain/store.ts';
import { all, sqlite } from '../tables.ts';

/** Oldest first. */
export function listBuilds(db: Database): BuildRecord[] {
  const query = sqlite.selectFrom('builds').selectAll().orderBy('started_at_ms').orderBy('id');
  return all(db, query).map((row) => ({
    id: row.id as BuildId,
    process: { host: row.host, pid: row.pid, startToken: row.start_token },
    startedAtMs: row.started_at_ms,
  }));
}

export function listBuildJobs(db: Database, id: string): { readonly id: JobId; readonly state: JobState }[] {
  const query = sqlite
    .selectFrom('build_jobs')
    .innerJoin('jobs', 'jobs.no', 'build_jobs.job_no')
    .select(['jobs.id', 'jobs.state'])
    .where('build_jobs.build_id', '=', id)
    .orderBy('jobs.no');
  return all(db, query).map((row) => ({ id: row.id as JobId, state: row.state }));
}
