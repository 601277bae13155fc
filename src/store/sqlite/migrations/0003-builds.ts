import type { Migration } from './migration.ts';

/** A job may be wanted by several builds: the same inputs give the same job, whoever asks. */
export const buildsMigration: Migration = {
  version: 3,
  sql: `
    ALTER TABLE workers ADD COLUMN name TEXT;
    ALTER TABLE workers ADD COLUMN build_id TEXT;

    CREATE TABLE builds (
      id TEXT PRIMARY KEY,
      host TEXT NOT NULL,
      pid INTEGER NOT NULL,
      start_token TEXT NOT NULL,
      started_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE build_jobs (
      build_id TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
      job_no INTEGER NOT NULL REFERENCES jobs (no) ON DELETE CASCADE,
      PRIMARY KEY (build_id, job_no)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX build_jobs_job ON build_jobs (job_no);
  `,
};
