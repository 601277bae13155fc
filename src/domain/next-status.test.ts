import { describe, expect, test } from 'vitest';
import { failureKinds, type Failure, type FailureKind } from '../contract/failure.ts';
import { nextState } from './job-state.ts';
import { emptyReport, type AttemptOutcome } from './job.ts';
import { cancelledFailure, nextStatus } from './next-status.ts';

const now = { ms: 1_000_000, random: 0 };
const fresh = { countedAttempts: 0, maxAttempts: 3, cancelRequested: false };
const failure = (kind: FailureKind): Failure => ({ kind, code: 'x', message: 'm', hint: 'h' });
const failed = (kind: FailureKind): AttemptOutcome => ({
  kind: 'failed',
  failure: failure(kind),
  report: emptyReport,
});
const parked: AttemptOutcome = {
  kind: 'parked',
  untilMs: 9_000_000,
  failure: failure('limit'),
  report: emptyReport,
};
const outcomes: readonly AttemptOutcome[] = [
  { kind: 'succeeded', report: emptyReport },
  { kind: 'cancelled', report: emptyReport },
  { kind: 'handed_back', reason: 'leaving' },
  parked,
  ...failureKinds.map(failed),
];

describe('a job whose cancellation was not asked for', () => {
  test('succeeds', () => {
    expect(nextStatus(fresh, { kind: 'succeeded', report: emptyReport }, now)).toEqual({
      status: { state: 'succeeded', finishedAtMs: now.ms },
      counted: true,
    });
  });

  test('goes back at once, uncounted, when its worker hands it back', () => {
    expect(nextStatus(fresh, { kind: 'handed_back', reason: 'leaving' }, now)).toEqual({
      status: { state: 'queued', runAtMs: now.ms },
      counted: false,
    });
  });

  test('parks, uncounted, until the time that is known', () => {
    expect(nextStatus(fresh, parked, now)).toEqual({
      status: { state: 'parked', runAtMs: 9_000_000, failure: failure('limit') },
      counted: false,
    });
  });

  test('waits a minute, counted, at a limit without one: it may never reset', () => {
    expect(nextStatus(fresh, failed('limit'), now)).toEqual({
      status: { state: 'queued', runAtMs: now.ms + 60_000 },
      counted: true,
    });
  });

  test.each(['infrastructure', 'stalled'] as const)('waits longer after each %s failure', (kind) => {
    const waits = [0, 1, 2, 3].map((countedAttempts) => {
      const { status } = nextStatus({ ...fresh, maxAttempts: 20, countedAttempts }, failed(kind), now);
      return status.state === 'queued' ? status.runAtMs - now.ms : null;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  test('is tried again at once when its worker was lost', () => {
    const { status, counted } = nextStatus(fresh, failed('lost'), now);
    expect({ status, counted }).toEqual({ status: { state: 'queued', runAtMs: now.ms }, counted: true });
  });

  test.each(['infrastructure', 'stalled', 'lost'] as const)('fails at its last %s failure', (kind) => {
    expect(nextStatus({ ...fresh, countedAttempts: 2 }, failed(kind), now).status).toEqual({
      state: 'failed',
      finishedAtMs: now.ms,
      failure: failure(kind),
    });
  });

  test.each(['user', 'configuration', 'auth', 'agent', 'timeout'] as const)('fails at once at %s', (kind) => {
    expect(nextStatus(fresh, failed(kind), now).status.state).toBe('failed');
  });
});

describe('a job whose cancellation was asked for', () => {
  const asked = { ...fresh, cancelRequested: true };

  test.each(outcomes.filter(({ kind }) => kind !== 'succeeded'))('is cancelled by $kind', (outcome) => {
    expect(nextStatus(asked, outcome, now).status).toEqual({
      state: 'cancelled',
      finishedAtMs: now.ms,
      failure: cancelledFailure,
    });
  });

  test('that had succeeded by then has succeeded', () => {
    const { status } = nextStatus(asked, { kind: 'succeeded', report: emptyReport }, now);
    expect(status.state).toBe('succeeded');
  });
});

test('every outcome leads out of running by a step that the table of states allows', () => {
  const step = {
    queued: 'requeue',
    parked: 'park',
    succeeded: 'succeed',
    failed: 'fail',
    cancelled: 'cancel',
  } as const;
  for (const outcome of outcomes) {
    const { state } = nextStatus(fresh, outcome, now).status;
    expect(nextState('running', step[state])).toBe(state);
  }
});
