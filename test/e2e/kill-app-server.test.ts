import { expect, test } from 'vitest';
import { openStage, type Stage } from './support/stage.ts';
import { steps, stepsPatch } from './support/steps.ts';

async function killAppServer(stage: Stage): Promise<void> {
  process.kill(await stage.pid('codex', 'app-server'), 'SIGKILL');
}

test('killed before the thread: the job is tried again in the next one', async () => {
  await using stage = await openStage(steps('true'));
  await stage.worker();
  process.kill(await stage.pid('codex', 'app-server'), 'SIGSTOP');
  const id = await stage.submit();
  await stage.event(id, (event) => event.type === 'job.phase' && event.phase === 'starting_agent');
  await killAppServer(stage);
  expect(await stage.ended(id)).toMatchObject({
    state: 'succeeded',
    attempt: 2,
    resumed: false,
    warnings: [],
  });
  expect(stage.calls()).toEqual([1, 1]);
  await stage.cleaned(id);
});

test('killed in the middle of an answer: the same worker resumes the thread', async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  await stage.worker();
  model.hold('tools 1');
  const id = await stage.submit();
  await model.waitAtGate('tools 1');
  await killAppServer(stage);
  model.release('tools 1');
  expect(await stage.ended(id)).toMatchObject({
    state: 'succeeded',
    attempt: 2,
    resumed: true,
    warnings: [],
  });
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  expect(stage.calls()).toEqual([1, 2, 1]);
  await stage.cleaned(id);
});

test('killed while a command runs, which also left something in a session of its own: both die, neither is run again', async () => {
  await using stage = await openStage(steps('true', 'setsid sleep 1001 & sleep 1000'));
  await stage.worker();
  const id = await stage.submit();
  await Promise.all([stage.pid('sleep', '1000'), stage.pid('sleep', '1001')]);
  await killAppServer(stage);
  await Promise.all([stage.gone('sleep', '1000'), stage.gone('sleep', '1001')]);
  const job = await stage.ended(id);
  expect(job).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  expect(stage.calls()).toEqual([1, 1, 1]);
  const requeued = (await stage.events(id)).filter(({ type }) => type === 'job.requeued');
  expect(requeued).toMatchObject([
    { attempt: 1, failure: { kind: 'infrastructure', code: 'agent_process_exited' } },
  ]);
  await stage.cleaned(id);
});

test('killed when the agent has ended and its result is checked: the job does not notice', async () => {
  await using stage = await openStage(steps('true'));
  await stage.worker();
  const id = await stage.submit({ checks: ['sleep 1000'] });
  await stage.pid('sleep', '1000');
  await killAppServer(stage);
  process.kill(await stage.pid('sleep', '1000'), 'SIGTERM');
  expect(await stage.ended(id)).toMatchObject({
    state: 'failed',
    attempt: 1,
    failure: { code: 'check_failed' },
  });
  expect(stage.calls()).toEqual([1, 1]);
  await stage.cleaned(id, 'source');
});
