import type { Database } from 'better-sqlite3';
import { buildDue, lanes, waiting } from './due-jobs.ts';

export interface NextDueParameters {
  readonly types: string;
  readonly queues: string;
}

/** When the first waiting job of these types and queues is or was due; null where none waits. */
export function prepareFirstDue(db: Database): (parameters: NextDueParameters) => number | null {
  const statement = db
    .prepare<[NextDueParameters], number | null>(
      `
      WITH RECURSIVE ${lanes}
      SELECT min((SELECT min(j.run_at_ms) FROM jobs j
        WHERE j.${waiting} AND j.type = lanes.type AND j.queue = lanes.queue AND j.priority = lanes.priority))
      FROM lanes WHERE priority IS NOT NULL`,
    )
    .pluck();
  return (parameters) => statement.get(parameters) ?? null;
}

/** When the next one that is not due yet will be. */
export function prepareNextDue(
  db: Database,
): (parameters: NextDueParameters & { nowMs: number }) => number | null {
  const statement = db
    .prepare<[NextDueParameters & { nowMs: number }], number | null>(
      `
      WITH RECURSIVE ${lanes}
      SELECT min((SELECT min(j.run_at_ms) FROM jobs j
        WHERE j.${waiting} AND j.type = lanes.type AND j.queue = lanes.queue AND j.priority = lanes.priority
          AND j.run_at_ms > @nowMs))
      FROM lanes WHERE priority IS NOT NULL`,
    )
    .pluck();
  return (parameters) => statement.get(parameters) ?? null;
}

type BuildDueParameters = NextDueParameters & { readonly buildId: string };

/** `prepareFirstDue` among what a build wants. */
export function prepareBuildFirstDue(db: Database): (parameters: BuildDueParameters) => number | null {
  const statement = db
    .prepare<[BuildDueParameters], number | null>(`SELECT min(job.run_at_ms) ${buildDue}`)
    .pluck();
  return (parameters) => statement.get(parameters) ?? null;
}

/** `prepareNextDue` among what a build wants. */
export function prepareBuildNextDue(
  db: Database,
): (parameters: BuildDueParameters & { nowMs: number }) => number | null {
  const statement = db
    .prepare<[BuildDueParameters & { nowMs: number }], number | null>(
      `SELECT min(job.run_at_ms) ${buildDue} AND job.run_at_ms > @nowMs`,
    )
    .pluck();
  return (parameters) => statement.get(parameters) ?? null;
}
