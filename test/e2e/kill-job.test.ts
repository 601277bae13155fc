import { expect, test } from 'vitest';
import { openStage } from './support/stage.ts';
import { steps } from './support/steps.ts';

/** One command that stays, one in a session of its own, one that is nobody's child any more. */
const tree = 'setsid sleep 1001 & (setsid sh -c "sleep 1002 &") ; sleep 1000';
const sleeps = ['1000', '1001', '1002'];

test.each(['workspace-write', 'danger-full-access'])(
  'cancelling reaches the whole process tree, sandbox mode %s',
  async (mode) => {
    await using stage = await openStage(steps(tree));
    await stage.worker({ CAPSTAN_CODEX__SANDBOX_MODE: mode, CAPSTAN_CODEX__ALLOW_DANGER: 'true' });
    const id = await stage.submit();
    await Promise.all(sleeps.map((seconds) => stage.pid('sleep', seconds)));
    const cancel = stage.start(['jobs', 'cancel', id]);
    expect(await cancel.exited).toEqual({ code: 0, signal: null });
    expect(await stage.ended(id)).toMatchObject({
      state: 'cancelled',
      attempt: 1,
      failure: { kind: 'cancelled' },
    });
    await Promise.all(sleeps.map((seconds) => stage.gone('sleep', seconds)));
    await stage.cleaned(id, 'source');
  },
);

test('a job beyond its timeout is stopped, with all that it runs, and not tried again', async () => {
  await using stage = await openStage(steps(tree));
  const { command, id } = await stage.run(['--timeout', '2s']);
  expect(await command.exited).toEqual({ code: 1, signal: null });
  expect(await stage.job(id)).toMatchObject({
    state: 'failed',
    attempt: 1,
    failure: { kind: 'timeout', code: 'job_timeout' },
  });
  await Promise.all(sleeps.map((seconds) => stage.gone('sleep', seconds)));
  await stage.cleaned(id, 'source');
});

test('a job without progress is stopped as stalled, and tried again where it stood', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  await stage.worker({ CAPSTAN_CODEX__STALL_TIMEOUT: '2s' });
  model.hold('before 1');
  const id = await stage.submit({}, { maxAttempts: 20 });
  const requeued = await stage.event(id, ({ type }) => type === 'job.requeued');
  expect(requeued).toMatchObject({ attempt: 1, failure: { kind: 'stalled', code: 'agent_stalled' } });
  model.release('before 1');
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', resumed: true });
  expect(stage.calls()[0]).toBe(1);
  await stage.cleaned(id);
});

test('cancelling a job that waits to be resumed ends it at once; the next worker removes its files', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  const worker = await stage.worker({ CAPSTAN_WORKER__DRAIN_GRACE: '0s' });
  model.hold('before 1');
  const id = await stage.submit();
  await model.waitAtGate('before 1');
  worker.kill('SIGTERM');
  await worker.exited;
  expect(await stage.job(id)).toMatchObject({ state: 'queued', attempt: 1 });
  expect(await stage.start(['jobs', 'cancel', id]).exited).toEqual({ code: 0, signal: null });
  expect(await stage.job(id)).toMatchObject({ state: 'cancelled' });
  await stage.worker();
  await stage.cleaned(id, 'source');
});
