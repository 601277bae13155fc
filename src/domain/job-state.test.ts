import { describe, expect, test } from 'vitest';
import { jobStates, type JobState } from '../contract/job.ts';
import { jobStateEvents, nextState, type JobStateEvent } from './job-state.ts';
import { isTerminal } from './job.ts';

/** Every pair, written out: a change of the rules has to be made twice. */
const table: Readonly<Record<JobState, Readonly<Record<JobStateEvent, JobState | null>>>> = {
  queued: { claim: 'running', succeed: null, fail: null, requeue: null, park: null, cancel: 'cancelled' },
  parked: { claim: 'running', succeed: null, fail: null, requeue: null, park: null, cancel: 'cancelled' },
  running: {
    claim: null,
    succeed: 'succeeded',
    fail: 'failed',
    requeue: 'queued',
    park: 'parked',
    cancel: 'cancelled',
  },
  succeeded: { claim: null, succeed: null, fail: null, requeue: null, park: null, cancel: null },
  failed: { claim: null, succeed: null, fail: null, requeue: null, park: null, cancel: null },
  cancelled: { claim: null, succeed: null, fail: null, requeue: null, park: null, cancel: null },
};
const pairs = jobStates.flatMap((state) => jobStateEvents.map((event) => [state, event] as const));

test.each(pairs)('%s on %s', (state, event) => {
  expect(nextState(state, event)).toBe(table[state][event]);
});

describe('a terminal state', () => {
  test.each(jobStates.filter(isTerminal))('%s has no way out', (state) => {
    expect(jobStateEvents.map((event) => nextState(state, event))).toEqual(jobStateEvents.map(() => null));
  });

  test('every other state can be left', () => {
    for (const state of jobStates.filter((each) => !isTerminal(each))) {
      expect(jobStateEvents.some((event) => nextState(state, event) !== null)).toBe(true);
    }
  });
});
