import type { Migration } from './migration.ts';

/** Who is a retry of a job that is deleted is looked up for each: without an index that reads the whole table. */
export const jobDeletionMigration: Migration = {
  version: 5,
  sql: `
    CREATE INDEX jobs_retries ON jobs (retry_of) WHERE retry_of IS NOT NULL;
  `,
};
