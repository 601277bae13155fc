import type { Database } from 'better-sqlite3';
import { sql } from 'kysely';
import type { JobState } from '../../../contract/job.ts';
import type { JobFilter, JobPage } from '../../../domain/store.ts';
import { toJob, type JobRow } from '../job-row.ts';
import { all, sqlite } from '../tables.ts';
import { pageAfter, parseCursor } from './cursor.ts';

/** Newest first. The cursor is the place of the page's last job in the order of acceptance. Throws `bad_cursor`. */
export function listJobs(db: Database, filter: JobFilter): JobPage {
  const beforeNo = filter.cursor === undefined ? null : parseCursor(filter.cursor);
  // State by state: each rare one has its partial index, which a list of states would not use.
  const rows =
    filter.states === undefined
      ? newest(db, filter, { beforeNo })
      : [...new Set(filter.states)]
          .flatMap((state) => newest(db, filter, { beforeNo, state }))
          .sort((a, b) => b.no - a.no);
  const items = rows.slice(0, filter.limit);
  return { items: items.map(toJob), nextCursor: pageAfter(rows, filter.limit) };
}

interface Part {
  readonly beforeNo: number | null;
  readonly state?: JobState;
}

function newest(db: Database, { type, limit }: JobFilter, { beforeNo, state }: Part): JobRow[] {
  let query = sqlite
    .selectFrom('jobs')
    .selectAll()
    .orderBy('no', 'desc')
    .limit(limit + 1);
  if (state !== undefined) query = query.where('state', '=', sql.lit(state));
  if (type !== undefined) query = query.where('type', '=', type);
  if (beforeNo !== null) query = query.where('no', '<', beforeNo);
  return all(db, query);
}
