import type { Database } from 'better-sqlite3';
import type { NewWorker, WorkerRecord } from '../../../domain/worker.ts';

/** A worker that was not seen for this long gets no share of what is due. */
const workerLiveMs = 45_000;

export interface WaitersParameters {
  readonly workerId: string;
  /** JSON lists. */
  readonly types: string;
  readonly queues: string;
  readonly nowMs: number;
  /** Null for a worker that serves all. */
  readonly buildId: string | null;
}

/** How many other live workers with a free slot take jobs of these types from these queues. */
export function prepareCountWaiters(db: Database): (parameters: WaitersParameters) => number {
  const statement = db
    .prepare<[WaitersParameters & { sinceMs: number }], number>(
      `
      SELECT count(*) FROM workers w
      WHERE w.id <> @workerId AND w.state = 'ready' AND w.last_seen_at_ms > @sinceMs
        AND (w.build_id IS NULL OR w.build_id = @buildId)
        AND EXISTS (SELECT 1 FROM json_each(w.types) a JOIN json_each(@types) b ON a.value = b.value)
        AND EXISTS (SELECT 1 FROM json_each(w.queues) a JOIN json_each(@queues) b ON a.value = b.value)
        AND (SELECT count(*) FROM jobs j WHERE j.state = 'running' AND j.worker_id = w.id) < w.concurrency`,
    )
    .pluck();
  return (parameters) => statement.get({ ...parameters, sinceMs: parameters.nowMs - workerLiveMs }) ?? 0;
}

/** A worker that registers again keeps its count. */
export function prepareRegisterWorker(db: Database): (worker: NewWorker, nowMs: number) => void {
  const statement = db.prepare(`
    INSERT INTO workers (id, types, queues, mode, host, pid, start_token, concurrency, name, build_id,
      container_id, engine_id, state, started_at_ms, last_seen_at_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'starting', ?, ?)
    ON CONFLICT (id) DO UPDATE SET
      types = excluded.types, queues = excluded.queues, mode = excluded.mode, host = excluded.host, pid = excluded.pid,
      start_token = excluded.start_token, concurrency = excluded.concurrency,
      name = excluded.name, build_id = excluded.build_id,
      container_id = excluded.container_id, engine_id = excluded.engine_id, state = excluded.state,
      last_seen_at_ms = excluded.last_seen_at_ms
  `);
  return ({ id, types, queues, mode, process, concurrency, name, buildId, container }, nowMs) => {
    statement.run(
      id,
      JSON.stringify(types),
      JSON.stringify(queues),
      mode,
      process.host,
      process.pid,
      process.startToken,
      concurrency,
      name ?? null,
      buildId ?? null,
      container?.id ?? null,
      container?.engineId ?? null,
      nowMs,
      nowMs,
    );
  };
}

export function prepareUpdateWorker(
  db: Database,
): (id: string, state: WorkerRecord['state'], nowMs: number) => void {
  const statement = db.prepare<[string, number, string]>(
    'UPDATE workers SET state = ?, last_seen_at_ms = ? WHERE id = ?',
  );
  return (id, state, nowMs) => {
    statement.run(state, nowMs, id);
  };
}

/** False where the row is gone. */
export function prepareTouchWorker(db: Database): (id: string, nowMs: number) => boolean {
  const statement = db.prepare<[number, string]>('UPDATE workers SET last_seen_at_ms = ? WHERE id = ?');
  return (id, nowMs) => statement.run(nowMs, id).changes === 1;
}

export function prepareCountProcessed(db: Database): (id: string) => void {
  const statement = db.prepare<[string]>(
    'UPDATE workers SET jobs_processed = jobs_processed + 1 WHERE id = ?',
  );
  return (id) => {
    statement.run(id);
  };
}

export function prepareDeleteWorker(db: Database): (id: string) => void {
  const statement = db.prepare<[string]>('DELETE FROM workers WHERE id = ?');
  return (id) => {
    statement.run(id);
  };
}
