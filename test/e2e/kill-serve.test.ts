import { expect, test } from 'vitest';
import type { JobEvent } from '../../src/contract/event.ts';
import { jobSchema } from '../../src/contract/job.ts';
import type { JobId } from '../../src/domain/ids.ts';
import { follow } from './support/follow.ts';
import { openStage, type Stage } from './support/stage.ts';
import { prompt, steps, stepsPatch } from './support/steps.ts';

const worker = ['node', 'capstan.js', 'worker'];

async function submit(stage: Stage, url: string): Promise<JobId> {
  const response = await fetch(`${url}/api/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'codex', input: { prompt, source: { dir: stage.site } } }),
  });
  return jobSchema.parse(await response.json()).id as JobId;
}

test("the server's worker killed: it is replaced at once, and its job resumed", async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  const { url } = await stage.serve();
  model.hold('tools 1');
  const id = await submit(stage, url);
  await model.waitAtGate('tools 1');
  const killed = await stage.pid(...worker);
  process.kill(killed, 'SIGKILL');
  model.release('tools 1');
  const events: JobEvent[] = [];
  for await (const event of follow(url, id)) events.push(event);
  expect(events.at(-1)).toMatchObject({
    type: 'job.finished',
    job: { id, state: 'succeeded', attempt: 2, resumed: true },
  });
  expect(await stage.pid(...worker)).not.toBe(killed);
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  expect(stage.calls()).toEqual([1, 2, 1]);
  await stage.cleaned(id);
});

test('the server killed: its worker finishes the job within its grace and leaves', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  const { command, url } = await stage.serve();
  model.hold('before 1');
  const id = await submit(stage, url);
  const events: JobEvent[] = [];
  const following = (async () => {
    for await (const event of follow(url, id)) events.push(event);
  })();
  await model.waitAtGate('before 1');
  command.kill('SIGKILL');
  await following;
  await expect
    .poll(() => stage.capstan.store.listWorkers(), { timeout: 20_000 })
    .toMatchObject([{ state: 'draining' }]);
  model.release('before 1');
  await stage.gone(...worker);
  const job = await stage.job(id);
  expect(job).toMatchObject({ state: 'succeeded', attempt: 1 });
  await stage.cleaned(id);

  const next = await stage.serve();
  for await (const event of follow(next.url, id, events.length)) events.push(event);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
  expect(events.at(-1)).toMatchObject({ type: 'job.finished', job: { state: 'succeeded' } });
});

test('the server killed and no grace: the job is handed back, and resumed at the next start', async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  const first = await stage.serve({ CAPSTAN_WORKER__DRAIN_GRACE: '0s' });
  model.hold('tools 1');
  const id = await submit(stage, first.url);
  await model.waitAtGate('tools 1');
  first.command.kill('SIGKILL');
  await stage.gone(...worker);
  await stage.gone('codex', 'app-server');
  expect(await stage.job(id)).toMatchObject({ state: 'queued', attempt: 1 });
  model.release('tools 1');
  await stage.serve();
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  await stage.cleaned(id);
});

test('the server and its worker killed together: the job is resumed at the next start', async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  const first = await stage.serve();
  model.hold('tools 1');
  const id = await submit(stage, first.url);
  await model.waitAtGate('tools 1');
  first.command.kill('SIGKILL');
  process.kill(await stage.pid(...worker), 'SIGKILL');
  await stage.gone('codex', 'app-server');
  model.release('tools 1');
  await stage.serve();
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  await stage.cleaned(id);
});

test('a server that is told to stop lets its worker finish, and both are gone', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  const { command, url } = await stage.serve();
  model.hold('before 1');
  const id = await submit(stage, url);
  await model.waitAtGate('before 1');
  command.kill('SIGTERM');
  await command.line('Draining');
  model.release('before 1');
  expect(await command.exited).toEqual({ code: 0, signal: null });
  await stage.gone(...worker);
  expect(await stage.job(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
  await stage.cleaned(id);
});
