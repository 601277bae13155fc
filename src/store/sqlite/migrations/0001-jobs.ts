import type { Migration } from './migration.ts';

/**
 * `no` is the order of acceptance; a short key, because every event and attempt carries it. `last_seq` numbers the events: looking for
 * the greatest in `events` while inserting there costs four times the insert. Only the states that are rare have an index to list them
 * by: one over all states costs every job a sixth of its time.
 */
export const jobsMigration: Migration = {
  version: 1,
  sql: `
    CREATE TABLE jobs (
      no INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      type TEXT NOT NULL,
      queue TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'parked', 'succeeded', 'failed', 'cancelled')),
      priority INTEGER NOT NULL,
      attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
      counted_attempts INTEGER NOT NULL DEFAULT 0,
      max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
      run_at_ms INTEGER NOT NULL,
      created_at_ms INTEGER NOT NULL,
      started_at_ms INTEGER,
      finished_at_ms INTEGER,
      worker_id TEXT,
      lease_until_ms INTEGER,
      last_seq INTEGER NOT NULL DEFAULT 0,
      cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
      idempotency_key TEXT,
      retry_of TEXT REFERENCES jobs (id),
      failure TEXT,
      checkpoint TEXT,
      report TEXT,
      input TEXT NOT NULL,
      CHECK (counted_attempts BETWEEN 0 AND attempt),
      CHECK ((state = 'running') = (worker_id IS NOT NULL)),
      CHECK ((worker_id IS NULL) = (lease_until_ms IS NULL)),
      CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at_ms IS NOT NULL)),
      CHECK ((state IN ('parked', 'failed', 'cancelled')) = (failure IS NOT NULL))
    ) STRICT;
    CREATE UNIQUE INDEX jobs_idempotency ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE INDEX jobs_waiting ON jobs (type, queue, priority DESC, run_at_ms) WHERE state IN ('queued', 'parked');
    CREATE INDEX jobs_parked ON jobs (state) WHERE state = 'parked';
    CREATE INDEX jobs_failed ON jobs (state) WHERE state = 'failed';
    CREATE INDEX jobs_cancelled ON jobs (state) WHERE state = 'cancelled';
    CREATE INDEX jobs_running ON jobs (worker_id) WHERE state = 'running';

    CREATE TABLE attempts (
      job_no INTEGER NOT NULL REFERENCES jobs (no) ON DELETE CASCADE,
      attempt INTEGER NOT NULL CHECK (attempt > 0),
      worker_id TEXT NOT NULL,
      started_at_ms INTEGER NOT NULL,
      ended_at_ms INTEGER,
      outcome TEXT CHECK (outcome IN ('succeeded', 'failed', 'parked', 'cancelled', 'handed_back', 'lost')),
      resumed INTEGER CHECK (resumed IN (0, 1)),
      failure TEXT,
      PRIMARY KEY (job_no, attempt),
      CHECK ((ended_at_ms IS NULL) = (outcome IS NULL))
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE events (
      job_no INTEGER NOT NULL REFERENCES jobs (no) ON DELETE CASCADE,
      seq INTEGER NOT NULL CHECK (seq > 0),
      attempt INTEGER NOT NULL CHECK (attempt >= 0),
      at_ms INTEGER NOT NULL,
      type TEXT NOT NULL,
      body TEXT,
      PRIMARY KEY (job_no, seq)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE workers (
      id TEXT PRIMARY KEY,
      types TEXT NOT NULL,
      queues TEXT NOT NULL,
      mode TEXT NOT NULL CHECK (mode IN ('direct', 'docker', 'kubernetes')),
      host TEXT NOT NULL,
      pid INTEGER NOT NULL,
      start_token TEXT NOT NULL,
      concurrency INTEGER NOT NULL CHECK (concurrency > 0),
      state TEXT NOT NULL CHECK (state IN ('starting', 'ready', 'draining')),
      jobs_processed INTEGER NOT NULL DEFAULT 0,
      started_at_ms INTEGER NOT NULL,
      last_seen_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
