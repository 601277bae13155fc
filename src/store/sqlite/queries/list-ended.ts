import type { Database } from 'better-sqlite3';
import type { EndedFilter, JobPage } from '../../../domain/store.ts';
import { toJob } from '../job-row.ts';
import { all, sqlite } from '../tables.ts';
import { pageAfter, parseCursor } from './cursor.ts';

/** Oldest first. The cursor is the place of the page's last job in the order of acceptance. Throws `bad_cursor`. */
export function listEnded(db: Database, filter: EndedFilter): JobPage {
  const { states, beforeMs, limit, cursor } = filter;
  const query = sqlite
    .selectFrom('jobs')
    .selectAll()
    .where('no', '>', cursor === undefined ? 0 : parseCursor(cursor))
    // No job ends before it is accepted: without an index over the ends, this stops at the first that is too young.
    .where('created_at_ms', '<', beforeMs)
    .where('finished_at_ms', '<', beforeMs)
    .where('state', 'in', states)
    .orderBy('no', 'asc')
    .limit(limit + 1);
  const rows = all(db, query);
  return { items: rows.slice(0, limit).map(toJob), nextCursor: pageAfter(rows, limit) };
}
