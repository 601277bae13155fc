import { describe, expect, test, vi } from 'vitest';
import type { WorkerId } from '../../src/domain/ids.ts';
import type { ClaimedJob } from '../../src/domain/job.ts';
import type { JobSource } from '../../src/domain/job-source.ts';
import { openStoreJobSource, type StoreJobSourceOptions } from '../../src/queue/store-job-source.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { aJob, aWorker, openTestStore, succeeded, type TestStore } from '../support/test-store.ts';

const workerId = 'w1' as WorkerId;
const never = new AbortController().signal;
const limit = { timeout: 20_000, interval: 10 };

function openSource({ store }: TestStore, overrides: Partial<StoreJobSourceOptions> = {}): JobSource {
  return openStoreJobSource({ store, workerId, types: ['noop'], queues: ['noop'], ...overrides });
}

async function takeOne(source: JobSource): Promise<ClaimedJob> {
  const [claimed] = await source.next(1, never);
  if (claimed === undefined) throw new Error('The source gave up waiting.');
  return claimed;
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    const tell = (): void => {
      resolve(signal.reason);
    };
    if (signal.aborted) tell();
    signal.addEventListener('abort', tell, { once: true });
  });
}

/** Keeps the only thread of this process from going on, and no processor from the others. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('waiting for a job', () => {
  test('ends when one is submitted', async () => {
    await using t = await openTestStore();
    await using source = openSource(t);
    const next = takeOne(source);
    const { job } = await t.store.submitJob(aJob());
    expect((await next).job.id).toBe(job.id);
  });

  test('ends when a job is put back', async () => {
    await using t = await openTestStore();
    await using source = openSource(t);
    await t.store.submitJob(aJob());
    const { lease } = await takeOne(source);
    const next = takeOne(source);
    await source.finish(lease, { kind: 'handed_back', reason: 'leaving' });
    expect((await next).lease).toEqual({ ...lease, attempt: 2 });
  });

  test('ends when a job falls due that was there before, with nothing to ring', async () => {
    await using t = await openTestStore();
    const runAtMs = Date.now() + 300;
    await t.store.submitJob(aJob({ runAtMs }));
    await using source = openSource(t);
    await takeOne(source);
    expect(Date.now()).toBeGreaterThanOrEqual(runAtMs);
  });

  test('gives an empty list when it is told to stop, and only then', async () => {
    await using t = await openTestStore();
    await using source = openSource(t);
    const stop = new AbortController();
    const next = source.next(1, stop.signal);
    stop.abort();
    expect(await next).toEqual([]);
    expect(await source.next(1, AbortSignal.abort())).toEqual([]);
  });
});

describe('a kept lease', () => {
  test('outlives its time while the main thread is blocked', async () => {
    await using t = await openTestStore();
    await t.store.registerWorker(aWorker('w1'));
    await using source = openSource(t, { leaseMs: 600 });
    await t.store.submitJob(aJob());
    const { lease } = await takeOne(source);
    await using kept = source.keep(lease);
    await firstBeat(t);
    block(1_500);
    expect(await t.store.reapExpired()).toEqual([]);
    expect(kept.signal.aborted).toBe(false);
    expect(await source.finish(lease, succeeded)).toBe('applied');
    expect(kept.signal.aborted).toBe(false);
  });

  test('of a claim outlives its time while the job before it in the claim blocks the main thread', async () => {
    await using t = await openTestStore();
    await t.store.registerWorker(aWorker('w1'));
    await using source = openSource(t, { leaseMs: 600 });
    await t.store.submitJob(aJob());
    await t.store.submitJob(aJob());
    const [first, second] = await source.next(2, never);
    if (first === undefined || second === undefined) throw new Error('Two jobs are due.');
    await using _first = source.keep(first.lease);
    await firstBeat(t);
    block(1_500);
    expect(await t.store.reapExpired()).toEqual([]);
    await using kept = source.keep(second.lease);
    expect(kept.signal.aborted).toBe(false);
    expect(await source.finish(second.lease, succeeded)).toBe('applied');
  });

  test('is let go when the main thread is blocked for too long', async () => {
    await using t = await openTestStore();
    await t.store.registerWorker(aWorker('w1'));
    await using source = openSource(t, { leaseMs: 300, hungAfterMs: 300 });
    await t.store.submitJob(aJob());
    const { lease } = await takeOne(source);
    await using kept = source.keep(lease);
    await firstBeat(t);
    block(2_000);
    expect(await t.store.reapExpired()).toEqual([lease.jobId]);
    expect(await aborted(kept.signal)).toMatchObject({ kind: 'lost', code: 'lease_lost' });
    expect(await source.finish(lease, succeeded)).toBe('refused');
  });

  test('aborts when its job is cancelled, long before the next heartbeat, also by another process', async () => {
    await using t = await openTestStore();
    await using source = openSource(t, { leaseMs: 3_600_000 });
    await t.store.submitJob(aJob());
    const { lease } = await takeOne(source);
    await using kept = source.keep(lease);
    await using other = await openSqliteStore({ dbPath: t.dbPath });
    await other.cancelJob(lease.jobId);
    expect(await aborted(kept.signal)).toMatchObject({ kind: 'cancelled', code: 'cancelled' });
  });

  test('aborts when its job was cancelled before it was kept', async () => {
    await using t = await openTestStore();
    await using source = openSource(t, { leaseMs: 3_600_000 });
    await t.store.submitJob(aJob());
    const { lease } = await takeOne(source);
    await t.store.cancelJob(lease.jobId);
    await using kept = source.keep(lease);
    expect(await aborted(kept.signal)).toMatchObject({ code: 'cancelled' });
  });

  test('aborts when its worker is taken for dead, and the worker is told to register again', async () => {
    await using t = await openTestStore();
    await t.store.registerWorker(aWorker('w1'));
    const onForgotten = vi.fn();
    await using source = openSource(t, { leaseMs: 300, onForgotten });
    await t.store.submitJob(aJob());
    const { lease } = await takeOne(source);
    await using kept = source.keep(lease);
    await t.store.removeWorker(workerId);
    expect(await aborted(kept.signal)).toMatchObject({ kind: 'lost', code: 'lease_lost' });
    await vi.waitFor(() => expect(onForgotten).toHaveBeenCalled(), limit);
  });

  test('that is no longer kept runs out', async () => {
    await using t = await openTestStore();
    await using source = openSource(t, { leaseMs: 100 });
    await t.store.submitJob(aJob());
    const { lease } = await takeOne(source);
    await source.keep(lease)[Symbol.asyncDispose]();
    await vi.waitFor(async () => expect(await t.store.reapExpired()).toEqual([lease.jobId]), limit);
  });
});

/** The heartbeat thread has started and reached the database. */
async function firstBeat({ store }: TestStore): Promise<void> {
  const [before] = await store.listWorkers();
  await vi.waitFor(async () => {
    const [worker] = await store.listWorkers();
    expect(worker?.lastSeenAtMs).toBeGreaterThan(before?.lastSeenAtMs ?? 0);
  }, limit);
}
