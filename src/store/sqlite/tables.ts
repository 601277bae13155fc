import {
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Compilable,
} from 'kysely';
import type { Database, Statement } from 'better-sqlite3';
import type { JobRow } from './job-row.ts';

export interface WorkerRow {
  readonly id: string;
  readonly types: string;
  readonly queues: string;
  readonly mode: 'direct' | 'docker' | 'kubernetes';
  readonly host: string;
  readonly pid: number;
  readonly start_token: string;
  readonly concurrency: number;
  readonly state: 'starting' | 'ready' | 'draining';
  readonly jobs_processed: number;
  readonly started_at_ms: number;
  readonly last_seen_at_ms: number;
  readonly name: string | null;
  readonly build_id: string | null;
  readonly container_id: string | null;
  readonly engine_id: string | null;
}

export interface BuildRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly start_token: string;
  readonly started_at_ms: number;
}

export interface BuildJobRow {
  readonly build_id: string;
  readonly job_no: number;
}

/** A row of the view that adds to `events` what follows from jobs and attempts. */
export interface JobEventRow {
  readonly job_no: number;
  readonly seq: number;
  readonly attempt: number;
  readonly at_ms: number;
  readonly type: string;
  readonly body: string | null;
  readonly worker_id: string | null;
}

export interface AttemptRow {
  readonly job_no: number;
  readonly attempt: number;
  readonly worker_id: string;
  readonly started_at_ms: number;
  readonly ended_at_ms: number | null;
  readonly outcome: string | null;
}

interface Tables {
  jobs: JobRow;
  workers: WorkerRow;
  job_events: JobEventRow;
  attempts: AttemptRow;
  builds: BuildRow;
  build_jobs: BuildJobRow;
}

/** Builds the cold queries. It has no driver: the store's one connection runs them, so that they cannot fall into an open transaction. */
export const sqlite = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** Prepared once a connection: a follower asks the same after every commit, and preparing costs more than the answer. */
const prepared = new WeakMap<Database, Map<string, Statement>>();

export function all<Row>(db: Database, query: Compilable<Row>): Row[] {
  const { sql, parameters } = query.compile();
  const statements = prepared.get(db) ?? new Map<string, Statement>();
  prepared.set(db, statements);
  const statement = statements.get(sql) ?? db.prepare(sql);
  statements.set(sql, statement);
  return statement.all(...parameters) as Row[];
}
