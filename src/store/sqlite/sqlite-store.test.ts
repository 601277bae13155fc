import { describe, expect, test } from 'vitest';
import { aClaim, aJob, aWorker, openTestStore, succeeded } from '../../../test/support/test-store.ts';
import type { Failure, FailureKind } from '../../contract/failure.ts';
import type { JobId, WorkerId } from '../../domain/ids.ts';
import { emptyReport, type AttemptOutcome, type ClaimedJob } from '../../domain/job.ts';
import type { ClaimRequest, Store } from '../../domain/store.ts';

const failure = (kind: FailureKind): Failure => ({ kind, code: 'x', message: 'm', hint: 'h' });
const failed = (kind: FailureKind): AttemptOutcome => ({
  kind: 'failed',
  failure: failure(kind),
  report: emptyReport,
});

async function claimOne(store: Store, overrides: Partial<ClaimRequest> = {}): Promise<ClaimedJob> {
  const [claimed] = await store.claimJobs(aClaim('w1', overrides));
  if (claimed === undefined) throw new Error('There was no job to claim.');
  return claimed;
}

const typesOf = async (store: Store, id: JobId): Promise<string[]> =>
  (await store.listEvents(id, 0, 100)).map(({ type }) => type);

describe('submitting', () => {
  test('an accepted job is there, queued, with its input', async () => {
    await using t = await openTestStore();
    const { job, created } = await t.store.submitJob(aJob({ input: { prompt: 'ü\u2028', deep: [1, null] } }));
    expect(created).toBe(true);
    expect(await t.store.getJob(job.id)).toEqual(job);
    expect(await typesOf(t.store, job.id)).toEqual(['job.accepted']);
  });

  test('a known idempotency key gives the first job, also within one commit', async () => {
    await using t = await openTestStore();
    const all = await Promise.all([1, 2, 3].map(() => t.store.submitJob(aJob({ idempotencyKey: 'k' }))));
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(all.map(({ job }) => job.id)).size).toBe(1);
    const later = await t.store.submitJob(aJob({ idempotencyKey: 'k' }));
    expect([later.created, later.job.id]).toEqual([false, all[0]?.job.id]);
    expect((await t.store.listJobs({ limit: 10 })).items).toHaveLength(1);
  });

  test('a write that fails takes none of its commit along', async () => {
    await using t = await openTestStore();
    const twice = aJob();
    const results = await Promise.allSettled(
      [twice, aJob(), twice, aJob()].map((job) => t.store.submitJob(job)),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect((await t.store.listJobs({ limit: 10 })).items).toHaveLength(3);
  });

  test('an unknown job is null', async () => {
    await using t = await openTestStore();
    expect(await t.store.getJob('no' as JobId)).toBeNull();
    expect(await t.store.cancelJob('no' as JobId)).toBeNull();
    expect(await t.store.listEvents('no' as JobId, 0, 10)).toEqual([]);
  });
});

describe('claiming', () => {
  test('takes the highest priority first, then the oldest', async () => {
    await using t = await openTestStore();
    for (const priority of [0, 5, -1, 5]) await t.store.submitJob(aJob({ priority, input: { priority } }));
    const claimed = await t.store.claimJobs(aClaim('w1', { limit: 10 }));
    expect(claimed.map(({ job }) => job.priority)).toEqual([5, 5, 0, -1]);
    const created = claimed.slice(0, 2).map(({ job }) => job.id);
    expect(created).toEqual([...created].sort());
  });

  test('takes only the types and queues that it names, from any of several', async () => {
    await using t = await openTestStore();
    for (const [type, queue] of [
      ['a', 'a'],
      ['a', 'b'],
      ['b', 'b'],
      ['c', 'c'],
    ] as const) {
      await t.store.submitJob(aJob({ type, queue }));
    }
    const request = aClaim('w1', { types: ['a', 'b'], queues: ['b', 'c'], limit: 10 });
    const claimed = await t.store.claimJobs(request);
    expect(claimed.map(({ job }) => job.type + job.queue)).toEqual(['ab', 'bb']);
  });

  test('leaves what is not due, and says when it will be', async () => {
    let nowMs = 1_000_000;
    await using t = await openTestStore({ clock: () => nowMs });
    await t.store.submitJob(aJob({ runAtMs: 1_005_000, priority: 9 }));
    await t.store.submitJob(aJob({ runAtMs: 1_002_000 }));
    expect(await t.store.claimJobs(aClaim('w1'))).toEqual([]);
    expect(await t.store.nextDueAt({ types: ['noop'], queues: ['noop'] })).toBe(1_002_000);
    expect(await t.store.nextDueAt({ types: ['other'], queues: ['noop'] })).toBeNull();
    nowMs = 1_002_000;
    expect(await t.store.claimJobs(aClaim('w1', { limit: 5 }))).toHaveLength(1);
    expect(await t.store.nextDueAt({ types: ['noop'], queues: ['noop'] })).toBe(1_005_000);
  });

  test('gives a lease and the next fence', async () => {
    await using t = await openTestStore({ clock: () => 1_000 });
    await t.store.submitJob(aJob());
    const { job, lease } = await claimOne(t.store);
    expect(lease).toEqual({ jobId: job.id, attempt: 1, workerId: 'w1' });
    expect(job.status).toEqual({
      state: 'running',
      workerId: 'w1',
      leaseUntilMs: 31_000,
      cancelRequested: false,
    });
    await t.store.finishAttempt(lease, { kind: 'handed_back', reason: 'leaving' });
    expect((await claimOne(t.store)).lease.attempt).toBe(2);
  });

  test('leaves a fair share to other live workers that wait for the same jobs', async () => {
    await using t = await openTestStore();
    for (const id of ['w1', 'w2', 'w3']) {
      await t.store.registerWorker(aWorker(id));
      await t.store.updateWorker(id as WorkerId, 'ready');
    }
    await Promise.all(Array.from({ length: 9 }, () => t.store.submitJob(aJob())));
    expect(await t.store.claimJobs(aClaim('w1', { limit: 8 }))).toHaveLength(3);
    expect(await t.store.claimJobs(aClaim('w2', { limit: 8 }))).toHaveLength(2);
  });

  test('leaves nothing to workers that drain, are full, or serve something else', async () => {
    await using t = await openTestStore();
    await t.store.registerWorker(aWorker('full', { concurrency: 1 }));
    await t.store.registerWorker(aWorker('draining'));
    await t.store.registerWorker(aWorker('other', { types: ['other'] }));
    for (const id of ['full', 'other']) await t.store.updateWorker(id as WorkerId, 'ready');
    await t.store.updateWorker('draining' as WorkerId, 'draining');
    await t.store.submitJob(aJob());
    await t.store.claimJobs(aClaim('full'));
    await Promise.all(Array.from({ length: 6 }, () => t.store.submitJob(aJob())));
    expect(await t.store.claimJobs(aClaim('w1', { limit: 8 }))).toHaveLength(6);
  });
});

describe('ending an attempt', () => {
  test('is applied once; the same again is a repetition', async () => {
    await using t = await openTestStore();
    await t.store.submitJob(aJob());
    const { lease } = await claimOne(t.store);
    const report = { ...emptyReport, summary: 'done', resumed: true };
    expect(await t.store.finishAttempt(lease, { kind: 'succeeded', report })).toBe('applied');
    const after = await t.store.getJob(lease.jobId);
    expect(after).toMatchObject({ status: { state: 'succeeded' }, report, countedAttempts: 1 });
    expect(await t.store.finishAttempt(lease, failed('agent'))).toBe('repeated');
    expect(await t.store.getJob(lease.jobId)).toEqual(after);
  });

  test.each(['w1', 'w2'])(
    'with an old fence is refused and changes nothing, the new one being with %s',
    async (next) => {
      let nowMs = 0;
      await using t = await openTestStore({ clock: () => nowMs });
      await t.store.submitJob(aJob());
      const old = await claimOne(t.store, { leaseMs: 10 });
      nowMs = 10;
      expect(await t.store.reapExpired()).toEqual([old.job.id]);
      expect(await t.store.finishAttempt(old.lease, succeeded)).toBe('refused');
      const { lease } = await claimOne(t.store, { workerId: next as WorkerId });
      const before = [await t.store.getJob(lease.jobId), await t.store.listEvents(lease.jobId, 0, 100)];
      expect(await t.store.finishAttempt(old.lease, succeeded)).toBe('refused');
      expect(await t.store.reportProgress(old.lease, { events: [], checkpoint: { a: 1 } })).toBe(false);
      expect(await t.store.extendLeases([old.lease, lease], 1_000)).toEqual(['lost', 'held']);
      const after = [await t.store.getJob(lease.jobId), await t.store.listEvents(lease.jobId, 0, 100)];
      expect(after[1]).toEqual(before[1]);
      expect(after[0]).toMatchObject({ attempt: 2, checkpoint: null, status: { state: 'running' } });
      expect(await t.store.finishAttempt(lease, succeeded)).toBe('applied');
    },
  );

  test('of a job or by a worker that never was is refused', async () => {
    await using t = await openTestStore();
    await t.store.submitJob(aJob());
    const { lease } = await claimOne(t.store);
    expect(await t.store.finishAttempt({ ...lease, workerId: 'w2' as WorkerId }, succeeded)).toBe('refused');
    expect(await t.store.finishAttempt({ ...lease, jobId: 'no' as JobId }, succeeded)).toBe('refused');
  });

  test('a retriable failure puts it back with a wait, the last one fails it', async () => {
    let nowMs = 0;
    await using t = await openTestStore({ clock: () => nowMs });
    const { job } = await t.store.submitJob(aJob({ maxAttempts: 2 }));
    await t.store.finishAttempt((await claimOne(t.store)).lease, failed('infrastructure'));
    expect(await t.store.claimJobs(aClaim('w1'))).toEqual([]);
    nowMs = (await t.store.nextDueAt({ types: ['noop'], queues: ['noop'] })) ?? 0;
    expect(nowMs).toBeGreaterThan(0);
    await t.store.finishAttempt((await claimOne(t.store)).lease, failed('infrastructure'));
    expect((await t.store.getJob(job.id))?.status).toEqual({
      state: 'failed',
      finishedAtMs: nowMs,
      failure: failure('infrastructure'),
    });
    expect(await typesOf(t.store, job.id)).toEqual([
      'job.accepted',
      'job.started',
      'job.requeued',
      'job.started',
      'job.finished',
    ]);
  });

  test('a parked job is claimable when its time has come, and the attempt does not count', async () => {
    let nowMs = 0;
    await using t = await openTestStore({ clock: () => nowMs });
    await t.store.submitJob(aJob({ maxAttempts: 1 }));
    const { lease } = await claimOne(t.store);
    const outcome = { kind: 'parked', untilMs: 500, failure: failure('limit'), report: emptyReport } as const;
    await t.store.finishAttempt(lease, outcome);
    expect(await t.store.getJob(lease.jobId)).toMatchObject({ status: { state: 'parked', runAtMs: 500 } });
    expect(await t.store.claimJobs(aClaim('w1'))).toEqual([]);
    nowMs = 500;
    expect(await claimOne(t.store)).toMatchObject({ job: { countedAttempts: 0 }, lease: { attempt: 2 } });
  });

  test('the last event carries the job as it ended', async () => {
    await using t = await openTestStore();
    await t.store.submitJob(aJob());
    const { lease } = await claimOne(t.store);
    await t.store.finishAttempt(lease, failed('agent'));
    const events = await t.store.listEvents(lease.jobId, 0, 10);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(events[1]).toMatchObject({ type: 'job.started', workerId: 'w1', attempt: 1 });
    expect(events.at(-1)).toMatchObject({
      type: 'job.finished',
      job: { id: lease.jobId, state: 'failed', failure: failure('agent') },
    });
  });
});

describe('reporting progress', () => {
  test('appends events in order without a gap and replaces the checkpoint', async () => {
    await using t = await openTestStore();
    await t.store.submitJob(aJob());
    const { lease } = await claimOne(t.store);
    const phase = (name: 'preparing' | 'collecting') => ({ type: 'job.phase', phase: name }) as const;
    await t.store.reportProgress(lease, { events: [phase('preparing')], checkpoint: { step: 1 } });
    await t.store.reportProgress(lease, { events: [phase('collecting'), phase('preparing')] });
    const events = await t.store.listEvents(lease.jobId, 2, 100);
    expect(events.map((event) => [event.seq, event.type === 'job.phase' && event.phase])).toEqual([
      [3, 'preparing'],
      [4, 'collecting'],
      [5, 'preparing'],
    ]);
    expect(await t.store.listEvents(lease.jobId, 3, 1)).toMatchObject([{ seq: 4 }]);
    expect((await t.store.getJob(lease.jobId))?.checkpoint).toEqual({ step: 1 });
  });
});

describe('cancelling', () => {
  test('ends a waiting job at once', async () => {
    await using t = await openTestStore();
    const { job } = await t.store.submitJob(aJob());
    expect((await t.store.cancelJob(job.id))?.status.state).toBe('cancelled');
    expect(await typesOf(t.store, job.id)).toEqual(['job.accepted', 'job.finished']);
    expect(await t.store.claimJobs(aClaim('w1'))).toEqual([]);
  });

  test('marks a running job, whose worker then ends it', async () => {
    await using t = await openTestStore();
    await t.store.submitJob(aJob());
    const { lease } = await claimOne(t.store);
    for (const _ of [1, 2]) {
      expect((await t.store.cancelJob(lease.jobId))?.status).toMatchObject({ cancelRequested: true });
    }
    expect(await t.store.extendLeases([lease], 1_000)).toEqual(['cancel_requested']);
    await t.store.finishAttempt(lease, failed('infrastructure'));
    expect((await t.store.getJob(lease.jobId))?.status.state).toBe('cancelled');
    expect(await typesOf(t.store, lease.jobId)).toEqual([
      'job.accepted',
      'job.started',
      'job.cancel_requested',
      'job.finished',
    ]);
  });

  test('hands a job that has ended back unchanged', async () => {
    await using t = await openTestStore();
    await t.store.submitJob(aJob());
    const { lease } = await claimOne(t.store);
    await t.store.finishAttempt(lease, succeeded);
    const before = await t.store.getJob(lease.jobId);
    expect(await t.store.cancelJob(lease.jobId)).toEqual(before);
    expect(await typesOf(t.store, lease.jobId)).toHaveLength(3);
  });
});

describe('the dead', () => {
  test('a removed worker’s jobs are back in the queue at once, those of others stay', async () => {
    await using t = await openTestStore();
    for (const id of ['w1', 'w2']) await t.store.registerWorker(aWorker(id));
    await Promise.all([t.store.submitJob(aJob()), t.store.submitJob(aJob({ maxAttempts: 1 }))]);
    const held = await t.store.claimJobs(aClaim('w1', { limit: 2 }));
    await t.store.submitJob(aJob());
    const other = await claimOne(t.store, { workerId: 'w2' as WorkerId });
    expect(await t.store.removeWorker('w1' as WorkerId)).toEqual(held.map(({ job }) => job.id));
    const states = await Promise.all(
      [...held, other].map(async ({ job }) => (await t.store.getJob(job.id))?.status.state),
    );
    expect(states).toEqual(['queued', 'failed', 'running']);
    expect((await t.store.listWorkers()).map(({ id }) => id)).toEqual(['w2']);
    expect(await t.store.touchWorker('w1' as WorkerId)).toBe(false);
    expect(await t.store.removeWorker('w1' as WorkerId)).toEqual([]);
  });

  test('a job whose lease ran out is requeued, failed or cancelled; one whose lease holds is left alone', async () => {
    let nowMs = 0;
    await using t = await openTestStore({ clock: () => nowMs });
    for (const maxAttempts of [3, 1, 3, 3]) await t.store.submitJob(aJob({ maxAttempts }));
    const claimed = await t.store.claimJobs(aClaim('w1', { limit: 4, leaseMs: 100 }));
    const [, , third, fourth] = claimed;
    if (third === undefined || fourth === undefined) throw new Error('Four jobs were to be claimed.');
    await t.store.cancelJob(third.job.id);
    nowMs = 100;
    await t.store.extendLeases([fourth.lease], 100);
    expect(await t.store.reapExpired()).toHaveLength(3);
    const states = await Promise.all(
      claimed.map(async ({ job }) => (await t.store.getJob(job.id))?.status.state),
    );
    expect(states).toEqual(['queued', 'failed', 'cancelled', 'running']);
    expect(await t.store.reapExpired()).toEqual([]);
    const [event] = (await t.store.listEvents(claimed[0]?.job.id ?? third.job.id, 2, 1)).slice(-1);
    expect(event).toMatchObject({ type: 'job.requeued', failure: { kind: 'lost', code: 'worker_lost' } });
  });

  test('a dead attempt leaves the report of the one before', async () => {
    let nowMs = 0;
    await using t = await openTestStore({ clock: () => nowMs });
    await t.store.submitJob(aJob());
    const report = { ...emptyReport, summary: 'half' };
    const outcome = { kind: 'failed', failure: failure('stalled'), report } as const;
    await t.store.finishAttempt((await claimOne(t.store)).lease, outcome);
    nowMs = (await t.store.nextDueAt({ types: ['noop'], queues: ['noop'] })) ?? 0;
    const { job } = await claimOne(t.store, { leaseMs: 1 });
    nowMs += 1;
    await t.store.reapExpired();
    expect((await t.store.getJob(job.id))?.report).toEqual(report);
  });
});

describe('listing', () => {
  test('pages through all jobs, newest first, also while more come', async () => {
    await using t = await openTestStore();
    const ids: JobId[] = [];
    for (let i = 0; i < 7; i += 1) ids.unshift((await t.store.submitJob(aJob())).job.id);
    const seen: JobId[] = [];
    let cursor: string | null = null;
    do {
      const page = await t.store.listJobs({ limit: 3, ...(cursor === null ? {} : { cursor }) });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      await t.store.submitJob(aJob());
    } while (cursor !== null);
    expect(seen).toEqual(ids);
  });

  test('by state and type; a foreign cursor is refused', async () => {
    await using t = await openTestStore();
    const [a, b, c] = await Promise.all(
      [aJob(), aJob(), aJob({ type: 'other' })].map(async (job) => (await t.store.submitJob(job)).job.id),
    );
    if (a === undefined || b === undefined || c === undefined) throw new Error('Three jobs were submitted.');
    await t.store.cancelJob(a);
    const list = async (filter: object): Promise<JobId[]> =>
      (await t.store.listJobs({ limit: 9, ...filter })).items.map(({ id }) => id);
    expect(await list({ states: ['cancelled'] })).toEqual([a]);
    expect(await list({ states: ['queued', 'cancelled'] })).toEqual([c, b, a]);
    expect(await list({ states: ['queued'], type: 'other' })).toEqual([c]);
    expect(await list({ states: [] })).toEqual([]);
    expect(await t.store.countWaiting()).toEqual({ noop: 1, other: 1 });
    await expect(list({ cursor: '../x' })).rejects.toMatchObject({ kind: 'user', code: 'bad_cursor' });
  });

  test('workers show what they do and have done', async () => {
    await using t = await openTestStore();
    await t.store.registerWorker(aWorker('w1', { types: ['noop', 'x'] }));
    await t.store.updateWorker('w1' as WorkerId, 'ready');
    await Promise.all([t.store.submitJob(aJob()), t.store.submitJob(aJob())]);
    const [first] = await t.store.claimJobs(aClaim('w1', { limit: 2 }));
    if (first !== undefined) await t.store.finishAttempt(first.lease, succeeded);
    expect(await t.store.listWorkers()).toMatchObject([
      { ...aWorker('w1', { types: ['noop', 'x'] }), state: 'ready', activeJobs: 1, jobsProcessed: 1 },
    ]);
    expect(await t.store.touchWorker('w1' as WorkerId)).toBe(true);
  });
});

test('a closed store has written what it accepted and refuses what comes after', async () => {
  await using t = await openTestStore();
  const accepted = t.store.submitJob(aJob());
  await t.store[Symbol.asyncDispose]();
  await expect(accepted).resolves.toMatchObject({ created: true });
  await expect(t.store.submitJob(aJob())).rejects.toMatchObject({ code: 'store_closed' });
  await expect(t.store.listJobs({ limit: 1 })).rejects.toMatchObject({ code: 'store_closed' });
});
