import type { Database } from 'better-sqlite3';
import { sql } from 'kysely';
import { waiting } from '../statements/due-jobs.ts';
import { all, sqlite } from '../tables.ts';

/** Jobs that are due and not claimed, by type. */
export function countWaiting(db: Database, nowMs: number): Readonly<Record<string, number>> {
  const query = sqlite
    .selectFrom('jobs')
    .select(({ fn }) => ['type', fn.countAll<number>().as('count')])
    .where(sql<boolean>`${sql.raw(waiting)}`)
    .where('run_at_ms', '<=', nowMs)
    .groupBy('type');
  return Object.fromEntries(all(db, query).map(({ type, count }) => [type, count]));
}
