import type { Database } from 'better-sqlite3';

/** Deletes a job that has ended and that no running build wants; its attempts and events go with it. False where it stays, or is not there. */
export function prepareDeleteJob(db: Database): (id: string) => boolean {
  const forget = db.prepare<[string]>('UPDATE jobs SET retry_of = NULL WHERE retry_of = ?');
  const remove = db.prepare<[string]>('DELETE FROM jobs WHERE id = ?');
  const deletable = db
    .prepare<[string], number>(
      `
      SELECT 1 FROM jobs WHERE id = ? AND state IN ('succeeded', 'failed', 'cancelled')
        AND NOT EXISTS (SELECT 1 FROM build_jobs WHERE job_no = jobs.no)`,
    )
    .pluck();
  return (id) => {
    if (deletable.get(id) === undefined) return false;
    forget.run(id);
    return remove.run(id).changes > 0;
  };
}
