import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { QueueStats } from '../../../domain/store.ts';

/** So many of the newest attempts give the average. */
const sample = 500;

const waitingSchema = z.record(z.string(), z.number());

type StatsRow = Omit<QueueStats, 'waitingIn'> & { readonly waitingIn: string };

/** By type, in alphabetical order. */
export function queueStats(db: Database, nowMs: number): QueueStats[] {
  const rows = db
    .prepare<[{ nowMs: number; sample: number }], StatsRow>(
      `
      WITH open AS (
        SELECT type, queue, run_at_ms <= @nowMs AS due, 0 AS running FROM jobs WHERE state IN ('queued', 'parked')
        UNION ALL
        SELECT type, queue, 0, 1 FROM jobs WHERE state = 'running'
      ),
      newest AS (
        SELECT job.type, attempts.ended_at_ms - attempts.started_at_ms AS ms
        FROM (SELECT no, type FROM jobs ORDER BY no DESC LIMIT @sample) job
        JOIN attempts ON attempts.job_no = job.no
        WHERE attempts.outcome = 'succeeded'
      ),
      types AS (SELECT type FROM open UNION SELECT type FROM newest)
      SELECT type,
        (SELECT count(*) FROM open WHERE open.type = types.type AND due) AS waiting,
        (SELECT json_group_object(queue, waiting) FROM (SELECT queue, count(*) AS waiting FROM open
          WHERE open.type = types.type AND due GROUP BY queue)) AS waitingIn,
        (SELECT count(*) FROM open WHERE open.type = types.type AND running) AS running,
        (SELECT avg(ms) FROM newest WHERE newest.type = types.type) AS averageMs
      FROM types ORDER BY type`,
    )
    .all({ nowMs, sample });
  return rows.map((row) => ({ ...row, waitingIn: waitingSchema.parse(JSON.parse(row.waitingIn)) }));
}
