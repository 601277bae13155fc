import type { Database } from 'better-sqlite3';
import type { JobFilter, JobPage } from '../../../domain/store.ts';
import { AppError } from '../../../runtime/app-error.ts';
import { toJob } from '../job-row.ts';
import { all, sqlite } from '../tables.ts';

/** Newest first. The cursor is the place of the page's last job in the order of acceptance. Throws `bad_cursor`. */
export function listJobs(db: Database, filter: JobFilter): JobPage {
  let query = sqlite
    .selectFrom('jobs')
    .selectAll()
    .orderBy('no', 'desc')
    .limit(filter.limit + 1);
  if (filter.states !== undefined) query = query.where('state', 'in', filter.states);
  if (filter.type !== undefined) query = query.where('type', '=', filter.type);
  if (filter.cursor !== undefined) query = query.where('no', '<', parseCursor(filter.cursor));
  const rows = all(db, query);
  const items = rows.slice(0, filter.limit);
  const last = items.at(-1);
  return {
    items: items.map(toJob),
    nextCursor: rows.length > filter.limit && last !== undefined ? last.no.toString(36) : null,
  };
}

function parseCursor(cursor: string): number {
  const no = /^[0-9a-z]{1,10}$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN;
  if (Number.isSafeInteger(no)) return no;
  throw new AppError('user', 'bad_cursor', `'${cursor}' is not a cursor of this list.`, {
    hint: 'Pass the nextCursor of the page before, unchanged.',
  });
}
