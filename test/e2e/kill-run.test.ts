import { randomUUID } from 'node:crypto';
import { mkdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openStage } from './support/stage.ts';
import { once } from './support/once.ts';
import { steps, stepsPatch } from './support/steps.ts';

test('a killed run: the next run finishes its job, too', async () => {
  await using stage = await openStage(steps('true', once('sleep 1000')));
  const first = await stage.run();
  await stage.pid('sleep', '1000');
  first.command.kill('SIGKILL');
  await stage.gone('sleep', '1000');
  const second = await stage.run();
  await stage.pid('sleep', '1000');
  await stage.ended(first.id);
  process.kill(await stage.pid('sleep', '1000'), 'SIGTERM');
  expect(await second.command.exited).toEqual({ code: 0, signal: null });
  expect(await stage.job(second.id)).toMatchObject({ state: 'succeeded', attempt: 1, resumed: false });
  expect(await stage.job(first.id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  expect(await stage.artifact(first.id, 'changes.patch')).toContain(stepsPatch(2));
  expect(stage.calls()).toEqual([2, 2, 2]);
  for (const { id } of [first, second]) await stage.cleaned(id);
});

test('a killed run whose worker did the work: a worker that lives takes it over', async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  model.hold('tools 1');
  const { command, id } = await stage.run();
  await model.waitAtGate('tools 1');
  await stage.worker();
  command.kill('SIGKILL');
  await command.exited;
  model.release('tools 1');
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  await stage.cleaned(id);
});

test('a killed run whose job another worker does: the job does not notice', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  await stage.worker();
  model.hold('before 1');
  const { command, id } = await stage.run();
  await model.waitAtGate('before 1');
  command.kill('SIGKILL');
  await command.exited;
  model.release('before 1');
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 1, resumed: false });
  expect(stage.calls()).toEqual([1, 1]);
  await stage.cleaned(id);
});

test('a run whose terminal is closed leaves its job, which goes on in its thread with the next worker', async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  model.hold('before 1');
  const { command, id } = await stage.run();
  await model.waitAtGate('before 1');
  command.kill('SIGHUP');
  command.kill('SIGHUP');
  expect(await command.exited).toEqual({ code: 129, signal: null });
  expect(await stage.job(id)).toMatchObject({ state: 'queued' });
  await stage.gone('codex', 'app-server');
  model.release('before 1');
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  await stage.cleaned(id);
});

test('a run interrupted once: its job is cancelled and cleaned up after, exit 130', async () => {
  await using stage = await openStage(steps('setsid sleep 1001 & sleep 1000'));
  const { command, id } = await stage.run();
  await Promise.all([stage.pid('sleep', '1000'), stage.pid('sleep', '1001')]);
  command.kill('SIGINT');
  expect(await command.exited).toEqual({ code: 130, signal: null });
  expect(JSON.parse(await command.line('"job.finished"'))).toMatchObject({ job: { id, state: 'cancelled' } });
  await stage.gone('codex', 'app-server');
  await Promise.all([stage.gone('sleep', '1000'), stage.gone('sleep', '1001')]);
  expect(await stage.job(id)).toMatchObject({
    state: 'cancelled',
    attempt: 1,
    failure: { kind: 'cancelled' },
  });
  await stage.cleaned(id, 'source');
});

test('a run interrupted twice ends at once, exit 130; the next command reaps what it left', async () => {
  await using stage = await openStage(steps('sleep 1000'));
  const { command, id } = await stage.run();
  // One that nobody has claimed yet is cancelled at once.
  await stage.pid('sleep', '1000');
  process.kill(await stage.pid('codex', 'app-server'), 'SIGSTOP');
  command.kill('SIGINT');
  await stage.event(id, ({ type }) => type === 'job.cancel_requested');
  command.kill('SIGINT');
  expect(await command.exited).toEqual({ code: 130, signal: null });
  expect(await stage.job(id)).toMatchObject({ state: 'running' });
  await stage.gone('codex', 'app-server');
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({ state: 'cancelled', attempt: 1 });
  await stage.cleaned(id, 'source');
});

test('a run that is interrupted before its job has begun leaves nothing behind', async () => {
  await using stage = await openStage(steps('true'));
  const command = stage.start(['run', 'Write the steps', '--dir', stage.site, '--json']);
  await stage.pid('codex', 'app-server');
  command.kill('SIGINT');
  expect(await command.exited).toEqual({ code: 130, signal: null });
  expect(stage.calls()).toEqual([]);
});

test('what a run left that was killed before its job was accepted is removed, but not what may be accepted yet', async () => {
  await using stage = await openStage(steps('true'));
  const [old, fresh] = [randomUUID(), randomUUID()];
  for (const id of [old, fresh])
    await mkdir(path.join(stage.dataDir, 'jobs', id, 'source'), { recursive: true });
  const longAgo = new Date(Date.now() - 24 * 3_600_000);
  await utimes(path.join(stage.dataDir, 'jobs', old), longAgo, longAgo);
  await stage.worker();
  expect(await stage.names('jobs')).toEqual([fresh]);
});
