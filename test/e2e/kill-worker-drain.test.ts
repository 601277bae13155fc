import { expect, test } from 'vitest';
import { openStage } from './support/stage.ts';
import { steps, stepsPatch } from './support/steps.ts';

test('a worker that is told to stop finishes what it has within the grace, and takes nothing new', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  const worker = await stage.worker();
  model.hold('before 1');
  const id = await stage.submit();
  await model.waitAtGate('before 1');
  worker.kill('SIGTERM');
  await worker.line('Draining');
  const later = await stage.submit();
  model.release('before 1');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(await stage.job(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
  expect(await stage.job(later)).toMatchObject({ state: 'queued', attempt: 0 });
  expect(await stage.capstan.store.listWorkers()).toEqual([]);
  await stage.cleaned(id);
});

test('what is not finished within the grace is handed back, uncounted, and resumed by another worker', async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  const worker = await stage.worker({ CAPSTAN_WORKER__DRAIN_GRACE: '0s' });
  model.hold('tools 1');
  const id = await stage.submit({}, { maxAttempts: 1 });
  await model.waitAtGate('tools 1');
  await stage.worker();
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  model.release('tools 1');
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  expect(stage.calls()).toEqual([1, 2, 1]);
  await stage.cleaned(id);
});

test('killed while it drains: the job is resumed like that of any dead worker', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  const worker = await stage.worker();
  model.hold('before 1');
  const id = await stage.submit();
  await model.waitAtGate('before 1');
  worker.kill('SIGTERM');
  await worker.line('Draining');
  worker.kill('SIGKILL');
  await worker.exited;
  model.release('before 1');
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  await stage.cleaned(id);
});

test('told twice, it leaves at once, and its agents with it', async () => {
  await using stage = await openStage(steps('sleep 1000'));
  const worker = await stage.worker();
  await stage.submit();
  await stage.pid('sleep', '1000');
  worker.kill('SIGTERM');
  await worker.line('Draining');
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 143, signal: null });
  await stage.gone('sleep', '1000');
});
