import type { Database } from 'better-sqlite3';
import { sql } from 'kysely';
import { all, sqlite } from '../tables.ts';

/** Jobs that are due and not claimed, by type. */
export function countWaiting(db: Database, nowMs: number): Readonly<Record<string, number>> {
  const query = sqlite
    .selectFrom('jobs')
    .select(({ fn }) => ['type', fn.countAll<number>().as('count')])
    .where('state', 'in', [sql.lit('queued'), sql.lit('parked')])
    .where('run_at_ms', '<=', nowMs)
    .groupBy('type');
  return Object.fromEntries(all(db, query).map(({ type, count }) => [type, count]));
}
