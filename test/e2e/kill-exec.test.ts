import { expect, test } from 'vitest';
import { openStage } from './support/stage.ts';
import { once } from './support/once.ts';
import { steps, stepsPatch } from './support/steps.ts';

const exec = { CAPSTAN_CODEX__DRIVER: 'exec' };

test('a worker with codex exec killed in the middle of an answer: the next one resumes the session', async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  const first = await stage.worker(exec);
  model.hold('tools 1');
  const id = await stage.submit();
  await model.waitAtGate('tools 1');
  first.kill('SIGKILL');
  await stage.gone('codex', 'exec');
  model.release('tools 1');
  await stage.worker(exec);
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

test('codex exec killed while a command runs: the job is resumed by the same worker, the command is not run again', async () => {
  await using stage = await openStage(steps('true', once('sleep 1000')));
  await stage.worker(exec);
  const id = await stage.submit();
  await stage.pid('sleep', '1000');
  process.kill(await stage.pid('codex', 'exec'), 'SIGKILL');
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  await stage.gone('sleep', '1000');
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  expect(stage.calls()).toEqual([1, 1, 1]);
  await stage.cleaned(id);
});

test('a session begun by the app-server is resumed by codex exec', async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  const first = await stage.worker();
  model.hold('tools 1');
  const id = await stage.submit();
  await model.waitAtGate('tools 1');
  first.kill('SIGKILL');
  await stage.gone('codex', 'app-server');
  model.release('tools 1');
  await stage.worker(exec);
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  expect(stage.calls()).toEqual([1, 2, 1]);
  await stage.cleaned(id);
});
