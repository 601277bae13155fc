import type { Database } from 'better-sqlite3';
import type { ProcessIdentity } from '../../../domain/worker.ts';

export function prepareOpenBuild(
  db: Database,
): (id: string, process: ProcessIdentity, nowMs: number) => void {
  const statement = db.prepare(
    'INSERT OR IGNORE INTO builds (id, host, pid, start_token, started_at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  return (id, { host, pid, startToken }, nowMs) => {
    statement.run(id, host, pid, startToken, nowMs);
  };
}

export function prepareCloseBuild(db: Database): (id: string) => void {
  const statement = db.prepare<[string]>('DELETE FROM builds WHERE id = ?');
  return (id) => {
    statement.run(id);
  };
}

export function prepareWantJob(db: Database): (buildId: string, jobNo: number) => void {
  const statement = db.prepare<[string, number]>(
    'INSERT OR IGNORE INTO build_jobs (build_id, job_no) VALUES (?, ?)',
  );
  return (buildId, jobNo) => {
    statement.run(buildId, jobNo);
  };
}

/** The jobs that have not ended and that this build wants and no other. */
export function prepareWantedAlone(db: Database): (buildId: string) => string[] {
  const statement = db
    .prepare<[string, string], string>(
      `
      SELECT job.id FROM build_jobs wanted JOIN jobs job ON job.no = wanted.job_no
      WHERE wanted.build_id = ? AND job.state IN ('queued', 'parked', 'running')
        AND NOT EXISTS (SELECT 1 FROM build_jobs other WHERE other.job_no = wanted.job_no AND other.build_id <> ?)`,
    )
    .pluck();
  return (buildId) => statement.all(buildId, buildId);
}

export function prepareReleaseKey(db: Database): (jobId: string) => void {
  const statement = db.prepare<[string]>(
    "UPDATE jobs SET idempotency_key = NULL WHERE id = ? AND state IN ('failed', 'cancelled', 'succeeded')",
  );
  return (jobId) => {
    statement.run(jobId);
  };
}
