import { rename } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { lockDatabase } from './support/lock-database.ts';
import { openStage, type Stage } from './support/stage.ts';
import { steps } from './support/steps.ts';

/** Its heartbeats wait for a locked database only so long. */
const shortLease = { CAPSTAN_WORKER__LEASE: '1s' };
const impatient = { CAPSTAN_STORE__BUSY_TIMEOUT: '100ms' };

/** Whole: while it is written it has another name. */
async function oneInOutbox(stage: Stage): Promise<void> {
  const written = async () => (await stage.names('outbox')).filter((name) => name.endsWith('.json'));
  await expect.poll(written, { timeout: 20_000 }).toHaveLength(1);
}

test('the database is locked when an attempt ends: the outcome is kept, and delivered when the lock is gone', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  await stage.worker(impatient);
  model.hold('before 1');
  const id = await stage.submit();
  await model.waitAtGate('before 1');
  {
    using _lock = lockDatabase(stage.dataDir);
    model.release('before 1');
    await oneInOutbox(stage);
    expect(await stage.job(id)).toMatchObject({ state: 'running' });
  }
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
  expect(stage.calls()).toEqual([1, 1]);
  await stage.cleaned(id);
});

test('killed between the end of an attempt and its report: whoever comes next delivers it', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  const first = await stage.worker(impatient);
  model.hold('before 1');
  const id = await stage.submit();
  await model.waitAtGate('before 1');
  {
    using _lock = lockDatabase(stage.dataDir);
    model.release('before 1');
    await oneInOutbox(stage);
    first.kill('SIGKILL');
    await first.exited;
  }
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({
    state: 'succeeded',
    attempt: 1,
    summary: 'All steps are written.',
  });
  expect(stage.calls()).toEqual([1, 1]);
  await stage.cleaned(id);
});

test('told to stop while the database is locked: the outcome waits on disk for the next worker', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  const first = await stage.worker({ ...impatient, ...shortLease, CAPSTAN_WORKER__DRAIN_GRACE: '0s' });
  model.hold('before 1');
  const id = await stage.submit();
  await model.waitAtGate('before 1');
  {
    using _lock = lockDatabase(stage.dataDir);
    model.release('before 1');
    await oneInOutbox(stage);
    first.kill('SIGTERM');
    expect(await first.exited).toEqual({ code: 0, signal: null });
  }
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
  await stage.cleaned(id);
});

test('the database is moved away when an attempt ends: the outcome is delivered when it is back', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  await stage.worker(impatient);
  model.hold('before 1');
  const id = await stage.submit();
  await model.waitAtGate('before 1');
  const file = path.join(stage.dataDir, 'capstan.db');
  await rename(file, `${file}.away`);
  model.release('before 1');
  await oneInOutbox(stage);
  await rename(`${file}.away`, file);
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
  expect(stage.calls()).toEqual([1, 1]);
  await stage.cleaned(id);
});
