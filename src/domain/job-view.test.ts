import { expect, test } from 'vitest';
import { jobSchema } from '../contract/job.ts';
import type { JobId, WorkerId } from './ids.ts';
import { toJobView } from './job-view.ts';
import { emptyReport, type Job, type JobStatus } from './job.ts';

const failure = { kind: 'agent', code: 'x', message: 'm', hint: 'h' } as const;
const job = (status: JobStatus): Job => ({
  id: 'j' as JobId,
  type: 'codex',
  queue: 'codex',
  input: { prompt: 'p' },
  priority: 0,
  idempotencyKey: null,
  retryOf: null,
  attempt: 1,
  countedAttempts: 0,
  maxAttempts: 3,
  status,
  checkpoint: null,
  report: null,
  createdAtMs: 1_000,
  startedAtMs: 2_000,
});
const workerId = 'w' as WorkerId;
const statuses: readonly JobStatus[] = [
  { state: 'queued', runAtMs: 5_000 },
  { state: 'parked', runAtMs: 5_000, failure },
  { state: 'running', workerId, leaseUntilMs: 9_000, cancelRequested: true },
  { state: 'succeeded', finishedAtMs: 4_000 },
  { state: 'failed', finishedAtMs: 4_000, failure },
  { state: 'cancelled', finishedAtMs: 4_000, failure },
];

test.each(statuses)('a $state job is shown in the shape of the contract', (status) => {
  const view = toJobView(job(status), 10_000);
  expect(jobSchema.parse(view)).toEqual(view);
  expect(view.state).toBe(status.state);
});

test('a running job shows who has it, and lasts until now', () => {
  const view = toJobView(
    job({ state: 'running', workerId, leaseUntilMs: 9_000, cancelRequested: true }),
    10_000,
  );
  expect(view).toMatchObject({ workerId: 'w', cancelRequested: true, durationMs: 8_000, finishedAt: null });
});

test('an ended job lasts until its end, whenever it is looked at', () => {
  const ended = job({ state: 'succeeded', finishedAtMs: 4_000 });
  expect(toJobView(ended, 10_000)).toEqual(toJobView(ended, 99_000));
  expect(toJobView(ended, 10_000).durationMs).toBe(2_000);
});

test('a job that never started lasts no time', () => {
  expect(
    toJobView({ ...job({ state: 'queued', runAtMs: 5_000 }), startedAtMs: null }, 10_000).durationMs,
  ).toBe(0);
});

test('a waiting job shows when it runs, a failed one why it failed', () => {
  expect(toJobView(job({ state: 'queued', runAtMs: 5_000 }), 0).runAt).toBe('1970-01-01T00:00:05.000Z');
  expect(toJobView(job({ state: 'failed', finishedAtMs: 4_000, failure }), 0).failure).toEqual(failure);
  expect(toJobView(job({ state: 'succeeded', finishedAtMs: 4_000 }), 0)).not.toHaveProperty('failure');
});

test('what the newest attempt reported is the job’s', () => {
  const report = { ...emptyReport, summary: 'done', threadId: 't', resumed: true };
  expect(toJobView({ ...job({ state: 'succeeded', finishedAtMs: 4_000 }), report }, 0)).toMatchObject({
    summary: 'done',
    threadId: 't',
    resumed: true,
  });
});
