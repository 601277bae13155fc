import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { JobId } from '../../domain/ids.ts';
import type { Store } from '../../domain/store.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Bell } from './bell.ts';
import { GroupWriter } from './group-writer.ts';
import { toJob } from './job-row.ts';
import { openLeaseKeeper } from './lease-keeper.ts';
import { queueStats } from './queries/queue-stats.ts';
import { retryBusy } from './retry-busy.ts';
import { prepareStatements } from './statements/index.ts';
import { cancelJob } from './writes/cancel-job.ts';
import { claimJobs } from './writes/claim-jobs.ts';
import { finishAttempt, loseAttempts } from './writes/end-attempt.ts';
import { extendLease, reportProgress } from './writes/report-progress.ts';
import { submitJob } from './writes/submit-job.ts';

export interface StoreContext {
  readonly busyLimitMs: number;
  readonly clock?: Clock;
}

/** Put together by a library that takes a third of a short command's start: loaded when the first of them is asked. */
const loadQueries = () => import('./queries/index.ts');
type Queries = Awaited<ReturnType<typeof loadQueries>>;

/** The store over one connection, which it owns: reads run at once, writes go through the group writer. */
export function createSqliteStore(db: Database, { clock, busyLimitMs }: StoreContext): Store {
  const dbPath = db.name;
  const sql = prepareStatements(db);
  const bells = { jobs: new Bell(dirname(dbPath), 'jobs'), events: new Bell(dirname(dbPath), 'events') };
  const now = clock ?? databaseClock(db);
  const writer = new GroupWriter({ db, now, busyLimitMs, ring: (topic) => bells[topic].ring() });
  const read = <T>(query: () => T): Promise<T> => retryBusy(query, { dbPath, limitMs: busyLimitMs });
  const ask = async <T>(query: (queries: Queries) => T): Promise<T> => {
    const queries = await loadQueries();
    return read(() => query(queries));
  };

  return {
    async submitJob(job) {
      const input = JSON.stringify(job.input ?? null);
      return writer.write('synced', (tx) => submitJob(sql, tx, job, input));
    },
    async claimJobs(request) {
      const wanted = { types: JSON.stringify(request.types), queues: JSON.stringify(request.queues) };
      // Many are woken for one job: those who find none must not take the write lock for it.
      const buildId = request.buildId ?? null;
      const dueMs = await read(() =>
        buildId === null ? sql.firstDue(wanted) : sql.buildFirstDue({ ...wanted, buildId }),
      );
      if (dueMs === null || dueMs > now() || request.limit < 1) return [];
      return writer.write('relaxed', (tx) => claimJobs(sql, tx, request));
    },
    async nextDueAt({ types, queues, buildId = null }) {
      const wanted = { types: JSON.stringify(types), queues: JSON.stringify(queues), nowMs: now() };
      return read(() => (buildId === null ? sql.nextDue(wanted) : sql.buildNextDue({ ...wanted, buildId })));
    },
    async extendLeases(leases, leaseMs) {
      if (leases.length === 0) return [];
      return writer.write('relaxed', (tx) => leases.map((lease) => extendLease(sql, tx, lease, leaseMs)));
    },
    async reportProgress(lease, report) {
      return writer.write('relaxed', (tx) => reportProgress(sql, tx, lease, report));
    },
    async finishAttempt(lease, outcome) {
      return writer.write('synced', (tx) => finishAttempt(sql, tx, lease, outcome));
    },
    async cancelJob(id) {
      const known = await writer.write('synced', (tx) => cancelJob(sql, tx, id));
      return known ? this.getJob(id) : null;
    },

    findJobIds: (prefix, limit) => ask(({ findJobIds }) => findJobIds(db, prefix, limit)),
    async getJob(id) {
      const row = await ask(({ getJobRow }) => getJobRow(db, id));
      return row === undefined ? null : toJob(row);
    },
    listJobs: (filter) => ask(({ listJobs }) => listJobs(db, filter)),
    listEnded: (filter) => ask(({ listEnded }) => listEnded(db, filter)),
    deleteJobs: (ids) => writer.write('synced', () => ids.filter((id) => sql.deleteJob(id))),
    listEvents: (id, afterSeq, limit) => ask(({ listEvents }) => listEvents(db, { id, afterSeq, limit })),
    async jobByKey(key) {
      const row = await read(() => sql.jobByKey(key));
      return row === undefined ? null : toJob(row);
    },
    async releaseKey(id) {
      await writer.write('relaxed', () => {
        sql.releaseKey(id);
      });
    },
    queueStats: () => read(() => queueStats(db, now())),
    countWaiting: () => ask(({ countWaiting }) => countWaiting(db, now())),

    async openBuild(id, process) {
      await writer.write('relaxed', (tx) => {
        sql.openBuild(id, process, tx.nowMs);
      });
    },
    async closeBuild(id) {
      await writer.write('relaxed', () => {
        sql.closeBuild(id);
      });
    },
    listBuilds: () => ask(({ listBuilds }) => listBuilds(db)),
    listBuildJobs: (id) => ask(({ listBuildJobs }) => listBuildJobs(db, id)),
    cancelBuildJobs: (id) =>
      writer.write<readonly JobId[]>('synced', (tx) => {
        const ids = sql.wantedAlone(id);
        for (const each of ids) cancelJob(sql, tx, each);
        return ids as JobId[];
      }),

    async registerWorker(worker) {
      await writer.write('relaxed', (tx) => sql.registerWorker(worker, tx.nowMs));
    },
    async updateWorker(id, state) {
      await writer.write('relaxed', (tx) => sql.updateWorker(id, state, tx.nowMs));
    },
    touchWorker: (id) => writer.write('relaxed', (tx) => sql.touchWorker(id, tx.nowMs)),
    removeWorker: (id) =>
      writer.write<readonly JobId[]>('synced', (tx) => {
        const lost = loseAttempts(sql, tx, sql.heldBy(id));
        sql.deleteWorker(id);
        return lost;
      }),
    listWorkers: () => ask(({ listWorkers }) => listWorkers(db)),
    async reapExpired() {
      const expired = await read(() => sql.expired(now()));
      if (expired.length === 0) return [];
      return writer.write('synced', (tx) => loseAttempts(sql, tx, sql.expired(tx.nowMs)));
    },

    keepLeases: (options) =>
      openLeaseKeeper({
        ...options,
        dbPath,
        held: () => sql.heldLeases(options.workerId),
        subscribe: (listener) => bells.jobs.subscribe(listener),
      }),
    subscribe: (topic, listener) => bells[topic].subscribe(listener),
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      bells.jobs[Symbol.dispose]();
      bells.events[Symbol.dispose]();
      db.close();
    },
  };
}

function databaseClock(db: Database): Clock {
  const statement = db
    .prepare<[], number>("SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER)")
    .pluck();
  return () => statement.get() ?? 0;
}
