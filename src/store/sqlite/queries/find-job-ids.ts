import type { Database } from 'better-sqlite3';
import type { JobId } from '../../../domain/ids.ts';
import { all, sqlite } from '../tables.ts';

/** Above every character of an id. */
const afterAll = '\u{10FFFF}';

export function findJobIds(db: Database, prefix: string, limit: number): readonly JobId[] {
  const query = sqlite
    .selectFrom('jobs')
    .select('id')
    .where('id', '>=', prefix as JobId)
    .where('id', '<', `${prefix}${afterAll}` as JobId)
    .orderBy('id', 'desc')
    .limit(limit);
  return all(db, query).map(({ id }) => id as JobId);
}
