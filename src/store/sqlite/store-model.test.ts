import { expect, test } from 'vitest';
import { aClaim, aJob, openTestStore } from '../../../test/support/test-store.ts';
import type { JobId } from '../../domain/ids.ts';
import { emptyReport, isTerminal, type AttemptOutcome, type Job, type Lease } from '../../domain/job.ts';
import type { FinishResult, Store } from '../../domain/store.ts';
import { fc, runs, timeLimit } from '../../../test/support/properties.ts';

type Step =
  | { readonly do: 'submit'; readonly priority: number; readonly delayMs: number; readonly max: number }
  | { readonly do: 'claim'; readonly worker: 'a' | 'b'; readonly limit: number; readonly leaseMs: number }
  | { readonly do: 'finish'; readonly pick: number; readonly kind: AttemptOutcome['kind'] }
  | { readonly do: 'cancel'; readonly pick: number }
  | { readonly do: 'extend'; readonly pick: number }
  | { readonly do: 'remove'; readonly worker: 'a' | 'b' }
  | { readonly do: 'reap' }
  | { readonly do: 'pass'; readonly ms: number };

const worker = fc.constantFrom('a' as const, 'b' as const);
const pick = fc.nat(1_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('submit'),
      priority: fc.integer({ min: -1, max: 1 }),
      delayMs: fc.constantFrom(0, 0, 500),
      max: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('claim'),
      worker,
      limit: fc.integer({ min: 1, max: 4 }),
      leaseMs: fc.constantFrom(50, 5_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('finish'),
      pick,
      kind: fc.constantFrom('succeeded', 'failed', 'parked', 'cancelled', 'handed_back'),
    }),
  },
  fc.record({ do: fc.constant('cancel'), pick }),
  fc.record({ do: fc.constant('extend'), pick }),
  fc.record({ do: fc.constant('remove'), worker }),
  fc.record({ do: fc.constant('reap') }),
  fc.record({ do: fc.constant('pass'), ms: fc.constantFrom(1, 60, 2_000) }),
);

const failure = { kind: 'infrastructure', code: 'x', message: 'm', hint: 'h' } as const;

/** What must be true of the store, kept beside it as plainly as can be. */
class Model {
  nowMs = 1_000;
  readonly order: JobId[] = [];
  readonly leases: Lease[] = [];
  /** The attempt that holds the job, by job. */
  readonly live = new Map<JobId, Lease>();
  /** Attempts that ended by their own word. */
  readonly ended = new Set<string>();
  readonly fences = new Map<JobId, number>();
  readonly terminal = new Map<JobId, Job>();

  expected(lease: Lease): FinishResult {
    if (this.live.get(lease.jobId) === lease) return 'applied';
    return this.ended.has(keyOf(lease)) ? 'repeated' : 'refused';
  }
}

const keyOf = ({ jobId, attempt }: Lease): string => `${jobId} ${attempt}`;

function outcomeOf(kind: AttemptOutcome['kind'], untilMs: number): AttemptOutcome {
  if (kind === 'handed_back') return { kind, reason: 'leaving' };
  if (kind === 'failed') return { kind, failure, report: emptyReport };
  if (kind === 'parked') return { kind, untilMs, failure, report: emptyReport };
  return { kind, report: emptyReport };
}

async function take(store: Store, model: Model, each: Step): Promise<void> {
  const { leases, order } = model;
  switch (each.do) {
    case 'submit': {
      const runAtMs = each.delayMs === 0 ? null : model.nowMs + each.delayMs;
      const { job } = await store.submitJob(
        aJob({ priority: each.priority, maxAttempts: each.max, runAtMs }),
      );
      order.push(job.id);
      return;
    }
    case 'claim': {
      const due = await claimable(store, model);
      const claimed = await store.claimJobs(
        aClaim(each.worker, { limit: each.limit, leaseMs: each.leaseMs }),
      );
      expect(claimed.map(({ job }) => job.id)).toEqual(due.slice(0, each.limit));
      for (const { job, lease } of claimed) {
        expect(model.live.has(job.id)).toBe(false);
        expect(lease.attempt).toBe((model.fences.get(job.id) ?? 0) + 1);
        model.fences.set(job.id, lease.attempt);
        model.live.set(job.id, lease);
        leases.push(lease);
      }
      return;
    }
    case 'finish': {
      const lease = leases[each.pick % leases.length];
      if (lease === undefined) return;
      const result = await store.finishAttempt(lease, outcomeOf(each.kind, model.nowMs + 300));
      expect(result).toBe(model.expected(lease));
      if (result === 'applied') {
        model.live.delete(lease.jobId);
        model.ended.add(keyOf(lease));
      }
      return;
    }
    case 'extend': {
      const lease = leases[each.pick % leases.length];
      if (lease === undefined) return;
      const [state] = await store.extendLeases([lease], 5_000);
      expect(state === 'lost').toBe(model.live.get(lease.jobId) !== lease);
      return;
    }
    case 'cancel': {
      const id = order[each.pick % order.length];
      if (id === undefined) return;
      const job = await store.cancelJob(id);
      expect(job?.status.state === 'running').toBe(model.live.has(id));
      return;
    }
    case 'remove': {
      const held = [...model.live.values()].filter(({ workerId }) => workerId === each.worker);
      const lost = await store.removeWorker(each.worker as Lease['workerId']);
      expect([...lost].sort()).toEqual(held.map(({ jobId }) => jobId).sort());
      for (const id of lost) model.live.delete(id);
      return;
    }
    case 'reap': {
      for (const id of await store.reapExpired()) expect(model.live.delete(id)).toBe(true);
      return;
    }
    case 'pass':
      model.nowMs += each.ms;
  }
}

/** Due jobs in the order of their turn, worked out from what the store shows. */
async function claimable(store: Store, model: Model): Promise<JobId[]> {
  const jobs = await Promise.all(model.order.map((id) => store.getJob(id)));
  return jobs
    .flatMap((job, no) =>
      job !== null && 'runAtMs' in job.status && job.status.runAtMs <= model.nowMs
        ? [{ id: job.id, no, priority: job.priority, runAtMs: job.status.runAtMs }]
        : [],
    )
    .sort((a, b) => b.priority - a.priority || a.runAtMs - b.runAtMs || a.no - b.no)
    .map(({ id }) => id);
}

async function checkInvariants(store: Store, model: Model): Promise<void> {
  const { items } = await store.listJobs({ limit: 1_000 });
  expect(items.map(({ id }) => id)).toEqual([...model.order].reverse());
  const running = items.filter(({ status }) => status.state === 'running').map(({ id }) => id);
  expect(running.sort()).toEqual([...model.live.keys()].sort());
  for (const job of items) {
    expect(job.attempt).toBe(model.fences.get(job.id) ?? 0);
    expect(job.countedAttempts).toBeLessThanOrEqual(Math.min(job.attempt, job.maxAttempts));
    if (isTerminal(job.status.state)) {
      expect(job).toEqual(model.terminal.get(job.id) ?? job);
      model.terminal.set(job.id, job);
    } else {
      expect(model.terminal.has(job.id)).toBe(false);
    }
  }
  const waiting = await store.countWaiting();
  expect(waiting['noop'] ?? 0).toBe((await claimable(store, model)).length);
}

async function checkEvents(store: Store, model: Model): Promise<void> {
  for (const id of model.order) {
    const events = await store.listEvents(id, 0, 1_000);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const ends = events.flatMap(({ type }, index) => (type === 'job.finished' ? [index] : []));
    expect(ends).toEqual(model.terminal.has(id) ? [events.length - 1] : []);
    const starts = events.filter(({ type }) => type === 'job.started').map(({ attempt }) => attempt);
    expect(starts).toEqual(Array.from({ length: model.fences.get(id) ?? 0 }, (_, index) => index + 1));
  }
}

test(
  'whatever is done in whatever order: one live attempt, growing fences, terminal for good, nothing lost',
  timeLimit(60_000),
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const model = new Model();
        await using t = await openTestStore({ clock: () => model.nowMs });
        for (const each of steps) {
          await take(t.store, model, each);
          await checkInvariants(t.store, model);
        }
        await checkEvents(t.store, model);
      }),
      runs(80),
    );
  },
);
