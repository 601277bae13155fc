import type { Database } from 'better-sqlite3';
import type { JobRow } from '../job-row.ts';
import { buildDue, lanes, waiting } from './due-jobs.ts';

export interface ClaimParameters {
  readonly workerId: string;
  /** JSON lists. */
  readonly types: string;
  readonly queues: string;
  readonly limit: number;
  readonly leaseMs: number;
  /** How many workers, this one included, wait for such jobs; each gets its share of what is due. */
  readonly waiters: number;
  readonly nowMs: number;
}

const claimDue = `
    UPDATE jobs SET
      state = 'running', attempt = attempt + 1, worker_id = @workerId, lease_until_ms = @nowMs + @leaseMs,
      started_at_ms = coalesce(started_at_ms, @nowMs), failure = NULL, last_seq = last_seq + 1
    WHERE ${waiting} AND no IN (
      SELECT no FROM due ORDER BY priority DESC, run_at_ms, no
      LIMIT (SELECT CAST(min(@limit, max(1, ceil(1.0 * count(*) / @waiters))) AS INTEGER) FROM due))
    RETURNING *`;

/**
 * The claim: one conditional statement that takes the first due jobs and gives each a lease and the next fence. Numbers
 * from JavaScript are REAL to SQLite: the share is rounded by name, not by an integer division.
 */
export function prepareClaim(db: Database): (parameters: ClaimParameters) => JobRow[] {
  const statement = db.prepare<[ClaimParameters], JobRow>(`
    WITH RECURSIVE ${lanes},
    due (no, priority, run_at_ms) AS MATERIALIZED (
      SELECT job.no, job.priority, job.run_at_ms
      FROM lanes CROSS JOIN jobs job ON job.no IN (
        SELECT j.no FROM jobs j
        WHERE j.${waiting} AND j.type = lanes.type AND j.queue = lanes.queue AND j.priority = lanes.priority
          AND j.run_at_ms <= @nowMs
        ORDER BY j.run_at_ms, j.no LIMIT @limit * @waiters)
      WHERE lanes.priority IS NOT NULL
    )
    ${claimDue}
  `);
  return (parameters) => statement.all(parameters).sort(byTurn);
}

/** The claim of a worker that serves one build alone: what that build wants is few enough to be looked through. */
export function prepareBuildClaim(
  db: Database,
): (parameters: ClaimParameters & { readonly buildId: string }) => JobRow[] {
  const statement = db.prepare<[ClaimParameters & { readonly buildId: string }], JobRow>(`
    WITH due (no, priority, run_at_ms) AS MATERIALIZED (
      SELECT job.no, job.priority, job.run_at_ms ${buildDue} AND job.run_at_ms <= @nowMs
    )
    ${claimDue}
  `);
  return (parameters) => statement.all(parameters).sort(byTurn);
}

/** RETURNING promises no order. */
function byTurn(a: JobRow, b: JobRow): number {
  return b.priority - a.priority || a.run_at_ms - b.run_at_ms || a.no - b.no;
}
