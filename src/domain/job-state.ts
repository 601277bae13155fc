import type { JobState } from '../contract/job.ts';

export const jobStateEvents = ['claim', 'succeed', 'fail', 'requeue', 'park', 'cancel'] as const;
export type JobStateEvent = (typeof jobStateEvents)[number];

/** Every allowed step; what is not listed is refused. A terminal state has no way out. */
const transitions: Readonly<Record<JobState, Partial<Readonly<Record<JobStateEvent, JobState>>>>> = {
  queued: { claim: 'running', cancel: 'cancelled' },
  parked: { claim: 'running', cancel: 'cancelled' },
  running: { succeed: 'succeeded', fail: 'failed', requeue: 'queued', park: 'parked', cancel: 'cancelled' },
  succeeded: {},
  failed: {},
  cancelled: {},
};

/** The state after `event`, or null where the step is not allowed. */
export function nextState(state: JobState, event: JobStateEvent): JobState | null {
  return transitions[state][event] ?? null;
}
