import { expect, test } from 'vitest';
import { emptyReport, type Job } from '../domain/job.ts';
import { toJobView } from '../domain/job-view.ts';
import type { JobId, WorkerId } from '../domain/ids.ts';
import { colorsFor } from './colors.ts';
import { renderJob } from './render-job.ts';

const job: Job = {
  id: 'job-1' as JobId,
  type: 'codex',
  queue: 'codex',
  input: { prompt: 'Add a\npage', source: { dir: '/srv/site' } },
  priority: 0,
  idempotencyKey: null,
  retryOf: null,
  attempt: 2,
  countedAttempts: 1,
  maxAttempts: 3,
  status: { state: 'running', workerId: 'w-1' as WorkerId, leaseUntilMs: 9, cancelRequested: false },
  checkpoint: null,
  report: null,
  createdAtMs: 0,
  startedAtMs: 1,
};
const colors = colorsFor({ isTTY: false } as never, {});
const render = (shown: Job, patch: string | null = null): string =>
  renderJob(
    toJobView(shown, 5),
    { patch, artifactsAt: '/a', phase: 'the agent works', lastEvent: '$ ls' },
    colors,
  ).join('\n');

test('a job that runs shows what was asked for, who works on it and what happened last', () => {
  const text = render(job);
  expect(text).toMatch(/^prompt +Add a page$/m);
  expect(text).toMatch(/^folder +\/srv\/site$/m);
  expect(text).toMatch(/^attempt +2 of 3, worker w-1, the agent works$/m);
  expect(text).toMatch(/^last +\$ ls$/m);
});

test('a job that rests shows until when', () => {
  const status = { state: 'queued', runAtMs: 60_000 } as const;
  expect(render({ ...job, status })).toMatch(/^waits +until 1970-01-01T00:01:00.000Z$/m);
});

test('what failed and the next step stand together, before a traceback', () => {
  const failure = {
    kind: 'user',
    code: 'cell_failed',
    message: 'a.py: Error\nTraceback\n  x',
    hint: 'Mend it.',
  } as const;
  const lines = render({ ...job, status: { state: 'failed', finishedAtMs: 3, failure } }).split('\n');
  const at = lines.findIndex((line) => line.startsWith('why'));
  expect(lines.slice(at, at + 4).map((line) => line.trimEnd())).toEqual([
    'why       a.py: Error (user: cell_failed)',
    'next      Mend it.',
    '          Traceback',
    '            x',
  ]);
});

test('a binary file in a patch is one line', () => {
  const patch = [
    'diff --git a/logo.png b/logo.png',
    'new file mode 100644',
    'index 0000..1234',
    'GIT binary patch',
    'literal 9000',
    'zcmV-Lfx7+V+flood',
    '',
    'diff --git a/x b/x',
    '@@ -1 +1 @@',
    '+text',
  ].join('\n');
  const ended = { ...job, status: { state: 'succeeded', finishedAtMs: 3 }, report: emptyReport } as const;
  const lines = render(ended, patch).split('\n').slice(-5);
  expect(lines).toEqual(
    [
      'diff --git a/logo.png b/logo.png',
      'new file mode 100644',
      '(a binary file)',
      'diff --git a/x b/x',
      '@@ -1 +1 @@',
      '+text',
    ].slice(-5),
  );
  expect(lines.join()).not.toContain('flood');
});
