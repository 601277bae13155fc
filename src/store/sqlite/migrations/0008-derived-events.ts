import type { Migration } from './migration.ts';

/**
 * That a job was accepted, started and has ended is in its row and in those of its attempts: the events that say so are read from there,
 * which saves every job three inserts. What an older version stored of them is looked past, but for starts: attempts from before have no
 * number for theirs. Constants are cast because SQLite merges the parts by `seq` only where their columns have one affinity; else it reads
 * and sorts all events of the job for each page.
 */
export const derivedEventsMigration: Migration = {
  version: 8,
  sql: `
    ALTER TABLE attempts ADD COLUMN started_seq INTEGER;

    CREATE VIEW job_events (job_no, seq, attempt, at_ms, type, body, worker_id) AS
    SELECT job_no, seq, attempt, at_ms, type, body,
        (SELECT worker_id FROM attempts a WHERE a.job_no = events.job_no AND a.attempt = events.attempt)
      FROM events WHERE type NOT IN ('job.accepted', 'job.finished')
    UNION ALL
    SELECT no, CAST(1 AS INTEGER), CAST(0 AS INTEGER), created_at_ms, CAST('job.accepted' AS TEXT),
        CAST(NULL AS TEXT), CAST(NULL AS TEXT)
      FROM jobs
    UNION ALL
    SELECT job_no, started_seq, attempt, started_at_ms, CAST('job.started' AS TEXT), CAST(NULL AS TEXT), worker_id
      FROM attempts WHERE started_seq IS NOT NULL
    UNION ALL
    SELECT no, last_seq, attempt, finished_at_ms, CAST('job.finished' AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT)
      FROM jobs WHERE finished_at_ms IS NOT NULL;
  `,
};
