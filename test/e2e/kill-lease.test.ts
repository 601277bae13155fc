import { expect, test } from 'vitest';
import { openStage } from './support/stage.ts';
import { once } from './support/once.ts';
import { steps, stepsPatch } from './support/steps.ts';

const shortLease = { CAPSTAN_WORKER__LEASE: '1s' };

test('a worker suspended beyond its lease: another goes on, and what the first says when it wakes is refused', async () => {
  await using stage = await openStage(steps('true', once('sleep 1000')));
  const { model } = stage;
  const first = await stage.worker(shortLease);
  const id = await stage.submit();
  await stage.pid('sleep', '1000');
  first.kill('SIGSTOP');
  const second = await stage.worker();
  const job = await stage.ended(id);
  expect(job).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  first.kill('SIGCONT');
  await first.line('this one reports nothing');
  expect(await stage.job(id)).toEqual(job);
  expect((await stage.events(id)).filter(({ type }) => type === 'job.finished')).toHaveLength(1);
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  await stage.cleaned(id);
  second.kill('SIGTERM');
  await second.exited;
  const later = await stage.submit();
  process.kill(await stage.pid('sleep', '1000'), 'SIGTERM');
  expect(await stage.ended(later)).toMatchObject({ state: 'succeeded', attempt: 1 });
  expect(model.problems).toEqual([]);
});

test('two workers compete: each job is done once, by one of them', async () => {
  await using stage = await openStage(steps('true'));
  await Promise.all([stage.worker(), stage.worker()]);
  const ids = await Promise.all(Array.from({ length: 8 }, () => stage.submit()));
  for (const id of ids) {
    expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
    expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(1));
    await stage.cleaned(id);
  }
  expect(stage.calls()).toEqual([8, 8]);
  const starts = await Promise.all(ids.map((id) => stage.events(id)));
  expect(starts.flat().filter(({ type }) => type === 'job.started')).toHaveLength(8);
});
