import type { Migration } from './migration.ts';

/** Where a worker runs whose process means nothing on this machine, and on which engine: one container's id says nothing to another engine. */
export const containersMigration: Migration = {
  version: 6,
  sql: `
    ALTER TABLE workers ADD COLUMN container_id TEXT;
    ALTER TABLE workers ADD COLUMN engine_id TEXT;
  `,
};
