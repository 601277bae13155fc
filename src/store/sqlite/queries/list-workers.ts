import type { Database } from 'better-sqlite3';
import { sql } from 'kysely';
import type { BuildId, WorkerId } from '../../../domain/ids.ts';
import type { WorkerRecord } from '../../../domain/worker.ts';
import { all, sqlite } from '../tables.ts';

/** Oldest first. */
export function listWorkers(db: Database): WorkerRecord[] {
  const query = sqlite
    .selectFrom('workers')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('jobs')
        .select(eb.fn.countAll<number>().as('count'))
        .where('state', '=', sql.lit('running')) // A literal, so that the partial index is used.
        .whereRef('worker_id', '=', 'workers.id')
        .as('active'),
    )
    .orderBy('started_at_ms')
    .orderBy('id');
  return all(db, query).map((row) => ({
    id: row.id as WorkerId,
    types: JSON.parse(row.types) as string[],
    queues: JSON.parse(row.queues) as string[],
    mode: row.mode,
    process: { host: row.host, pid: row.pid, startToken: row.start_token },
    concurrency: row.concurrency,
    name: row.name,
    buildId: row.build_id as BuildId | null,
    container: row.container_id === null ? null : { id: row.container_id, engineId: row.engine_id },
    state: row.state,
    activeJobs: row.active ?? 0,
    jobsProcessed: row.jobs_processed,
    startedAtMs: row.started_at_ms,
    lastSeenAtMs: row.last_seen_at_ms,
  }));
}
