import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { once } from './support/once.ts';
import { openStage } from './support/stage.ts';
import { prompt, steps, stepsPatch } from './support/steps.ts';

test('killed before the thread: the next worker starts clean, and nothing is lost by that', async () => {
  await using stage = await openStage(steps('true'));
  const first = await stage.worker();
  process.kill(await stage.pid('codex', 'app-server'), 'SIGSTOP');
  const id = await stage.submit();
  await stage.event(id, (event) => event.type === 'job.phase' && event.phase === 'starting_agent');
  first.kill('SIGKILL');
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({
    state: 'succeeded',
    attempt: 2,
    resumed: false,
    warnings: [],
  });
  expect(stage.calls()).toEqual([1, 1]);
  await stage.cleaned(id);
});

test('killed in the middle of an answer: the next worker resumes the thread where it stood', async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  const first = await stage.worker();
  model.hold('tools 1');
  const id = await stage.submit();
  await model.waitAtGate('tools 1');
  first.kill('SIGKILL');
  await first.exited;
  model.release('tools 1');
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({
    state: 'succeeded',
    attempt: 2,
    resumed: true,
    warnings: [],
    // Of both attempts: one answer before the kill, two after it.
    usage: { inputTokens: 3000, cachedInputTokens: 1200, outputTokens: 150 },
  });
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  expect(stage.calls()).toEqual([1, 2, 1]);
  await stage.cleaned(id);
});

test('killed while a command runs: the command dies with it and is not run again', async () => {
  await using stage = await openStage(steps('true', once('sleep 1000')));
  const first = await stage.worker();
  const id = await stage.submit();
  await stage.pid('sleep', '1000');
  first.kill('SIGKILL');
  await stage.gone('sleep', '1000');
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
  expect(stage.calls()).toEqual([1, 1, 1]);
  await stage.cleaned(id);
});

test('killed while a check runs: the agent, which had ended, is not asked again', async () => {
  await using stage = await openStage(steps('true'));
  const first = await stage.worker();
  const id = await stage.submit({ checks: [once('sleep 1000'), 'test -s steps.txt'] });
  await stage.pid('sleep', '1000');
  first.kill('SIGKILL');
  await stage.gone('sleep', '1000');
  await stage.worker();
  const job = await stage.ended(id);
  expect(job).toMatchObject({
    state: 'succeeded',
    attempt: 2,
    resumed: true,
    summary: 'All steps are written.',
  });
  expect(job.checks.map(({ passed }) => passed)).toEqual([true, true]);
  expect(job.usage).toMatchObject({ inputTokens: 2000 });
  expect(stage.calls()).toEqual([1, 1]);
  await stage.cleaned(id);
});

test("what a killed check has left in the workspace is not taken for the agent's", async () => {
  await using stage = await openStage(steps('true'));
  const first = await stage.worker();
  const id = await stage.submit({ checks: [`echo built > built.txt; ${once('sleep 1000')}`] });
  await stage.pid('sleep', '1000');
  first.kill('SIGKILL');
  await stage.gone('sleep', '1000');
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({
    state: 'succeeded',
    attempt: 2,
    resumed: true,
    filesChanged: [{ path: 'steps.txt', change: 'created' }],
    warnings: [],
  });
  expect(stage.calls()).toEqual([1, 1]);
  await stage.cleaned(id);
});

test('killed with two jobs at once: both are resumed, each in its own workspace', async () => {
  await using stage = await openStage(steps('true', 'true'));
  const { model } = stage;
  const first = await stage.worker();
  model.hold('tools 1');
  const ids = [await stage.submit(), await stage.submit()];
  for (const id of ids) await stage.event(id, ({ type }) => type === 'agent.command');
  await expect.poll(() => model.openStreams).toBe(2);
  first.kill('SIGKILL');
  await first.exited;
  model.release('tools 1');
  await stage.worker();
  for (const id of ids) {
    expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
    expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(2));
    await stage.cleaned(id);
  }
});

test.each([
  { lost: 'rollout file', folder: 'codex-home/sessions' },
  { lost: 'workspace', folder: 'jobs' },
])('without the $lost of the attempt before, the job starts clean and says so', async ({ folder }) => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  const first = await stage.worker();
  model.hold('before 1');
  const id = await stage.submit();
  await model.waitAtGate('before 1');
  first.kill('SIGKILL');
  await first.exited;
  model.release('before 1');
  const lost = folder === 'jobs' ? path.join('jobs', id, 'workspace') : folder;
  await rm(path.join(stage.dataDir, lost), { recursive: true });
  await stage.worker();
  const job = await stage.ended(id);
  expect(job).toMatchObject({ state: 'succeeded', attempt: 2, resumed: false });
  expect(job.warnings).toEqual([expect.stringContaining('starts clean')]);
  expect(await stage.artifact(id, 'changes.patch')).toContain(stepsPatch(1));
  expect(stage.calls()).toEqual([2, 2]);
  await stage.cleaned(id);
});

test('killed before the thread had its task written down: the job starts clean instead of resuming a thread that knows of none', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  const first = await stage.worker();
  model.hold('before 0');
  const id = await stage.submit();
  await model.waitAtGate('before 0');
  first.kill('SIGKILL');
  await first.exited;
  model.release('before 0');
  await cutRollouts(path.join(stage.dataDir, 'codex-home/sessions'));
  await stage.worker();
  const job = await stage.ended(id);
  expect(job).toMatchObject({ state: 'succeeded', attempt: 2, resumed: false });
  expect(job.warnings).toEqual([expect.stringContaining('had not been given its task')]);
  expect(model.requests.at(-1)).toMatchObject({ prompt });
  await stage.cleaned(id);
});

/** Takes from rollout files what Codex writes last before it asks the model: the task. */
async function cutRollouts(sessions: string): Promise<void> {
  for (const file of await readdir(sessions, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const name = path.join(file.parentPath, file.name);
    const lines = (await readFile(name, 'utf8')).split('\n');
    const task = lines.findIndex((line) => line.includes(`"text":"${prompt}"`));
    await writeFile(name, `${lines.slice(0, task).join('\n')}\n`);
  }
}

test('a job whose last attempt dies with its worker has failed as lost, and keeps its source alone', async () => {
  await using stage = await openStage(steps('true'));
  const { model } = stage;
  const first = await stage.worker();
  model.hold('before 1');
  const id = await stage.submit({}, { maxAttempts: 1 });
  await model.waitAtGate('before 1');
  first.kill('SIGKILL');
  await first.exited;
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({ state: 'failed', attempt: 1, failure: { kind: 'lost' } });
  await stage.cleaned(id, 'source');
});

test('what a command left in a session of its own dies with the worker', async () => {
  await using stage = await openStage(steps('setsid sh -c "sleep 1001 & sleep 1000" & sleep 0.1; wait'));
  const first = await stage.worker({
    CAPSTAN_CODEX__SANDBOX_MODE: 'danger-full-access',
    CAPSTAN_CODEX__ALLOW_DANGER: 'true',
  });
  const id = await stage.submit();
  await Promise.all([stage.pid('sleep', '1000'), stage.pid('sleep', '1001')]);
  first.kill('SIGKILL');
  await Promise.all([stage.gone('sleep', '1000'), stage.gone('sleep', '1001')]);
  await stage.worker();
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
});
