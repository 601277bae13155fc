import type { Database } from 'better-sqlite3';
import type { JobRow } from '../job-row.ts';
import { all, sqlite } from '../tables.ts';

export function getJobRow(db: Database, id: string): JobRow | undefined {
  return all(db, sqlite.selectFrom('jobs').selectAll().where('id', '=', id)).at(0);
}
