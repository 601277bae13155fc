import { createHash } from 'node:crypto';

/** Part of the names of what serves a database: the engine of a machine knows the containers of all databases. */
export function databaseScope(dbPath: string): string {
  return createHash('sha256').update(dbPath).digest('hex').slice(0, 8);
}
