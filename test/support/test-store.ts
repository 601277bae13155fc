import type { JobId, WorkerId } from '../../src/domain/ids.ts';
import { emptyReport, type AttemptOutcome } from '../../src/domain/job.ts';
import type { ClaimRequest, NewJob, Store } from '../../src/domain/store.ts';
import type { NewWorker } from '../../src/domain/worker.ts';
import { newId } from '../../src/runtime/ids.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/open-sqlite-store.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

export interface TestStore extends AsyncDisposable {
  readonly store: Store;
  readonly dir: TempDir;
  readonly dbPath: string;
}

/** A store on a real file in a folder of its own; both go when it is disposed. */
export async function openTestStore(options: Partial<SqliteStoreOptions> = {}): Promise<TestStore> {
  const dir = await tempDir();
  const dbPath = dir.join('capstan.db');
  const store = await openSqliteStore({ dbPath, ...options });
  return {
    store,
    dir,
    dbPath,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

export function aJob(overrides: Partial<NewJob> = {}): NewJob {
  return {
    id: newId() as JobId,
    type: 'noop',
    queue: 'noop',
    input: { prompt: 'do nothing' },
    priority: 0,
    maxAttempts: 3,
    idempotencyKey: null,
    retryOf: null,
    runAtMs: null,
    ...overrides,
  };
}

export function aWorker(id: string, overrides: Partial<NewWorker> = {}): NewWorker {
  return {
    id: id as WorkerId,
    types: ['noop'],
    queues: ['noop'],
    mode: 'direct',
    process: { host: 'here', pid: 1, startToken: 'x' },
    concurrency: 8,
    ...overrides,
  };
}

export function aClaim(workerId: string, overrides: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    workerId: workerId as WorkerId,
    types: ['noop'],
    queues: ['noop'],
    limit: 1,
    leaseMs: 30_000,
    ...overrides,
  };
}

export const succeeded: AttemptOutcome = { kind: 'succeeded', report: emptyReport };
