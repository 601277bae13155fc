import type { Database } from 'better-sqlite3';
import { lanes, waiting } from './due-jobs.ts';

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
