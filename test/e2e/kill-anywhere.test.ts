import { expect, test } from 'vitest';
import type { JobEvent } from '../../src/contract/event.ts';
import { openStage } from './support/stage.ts';
import { carefulSteps, stepsPatch } from './support/steps.ts';

test('attempt n killed at its n-th event: every step is done once, and the job ends once', async () => {
  await using stage = await openStage(carefulSteps(3));
  const id = await stage.submit({ checks: ['test "$(tr -d "\\n" < steps.txt)" = 012'] }, { maxAttempts: 20 });
  for (let attempt = 1, ended = false; !ended; attempt += 1) {
    const worker = await stage.worker();
    let seen = 0;
    const isPoint = (event: JobEvent): boolean => {
      if (event.attempt === attempt) seen += 1;
      return event.type === 'job.finished' || seen === attempt;
    };
    ended = (await stage.event(id, isPoint)).type === 'job.finished';
    worker.kill('SIGKILL');
    await worker.exited;
  }
  const last = await stage.worker();
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', resumed: true, warnings: [] });
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(3));
  const events = await stage.events(id);
  expect(events.filter(({ type }) => type === 'job.finished')).toHaveLength(1);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
  await stage.cleaned(id);
  last.kill('SIGTERM');
  expect(await last.exited).toEqual({ code: 0, signal: null });
});
