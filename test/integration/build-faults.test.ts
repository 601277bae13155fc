import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openBuildStage, statesOf, type BuildStage } from '../support/build-stage.ts';

/** Inputs that say in `log.txt` when they are worked on, and wait until `go` is there. */
async function openHeld(count: number): Promise<BuildStage> {
  const stage = await openBuildStage({ 'course.yaml': 'jobs:\n  - { type: shout, input: "in/*.txt" }\n' });
  const text = (at: number): string =>
    at === 0
      ? `log ${stage.join('log.txt')}`
      : `log ${stage.join('log.txt')}\nwait ${stage.join('go')}\n${String(at)}`;
  for (let at = 0; at < count; at += 1) await stage.write({ [`in/${String(at)}.txt`]: text(at) });
  return stage;
}

test('a build killed in the middle leaves no worker; the next one does not make again what was made', async () => {
  await using stage = await openHeld(3);
  const killed = stage.start(['build', '--json']);
  // The first has ended, two are worked on.
  await stage.lines('log.txt', 3);
  await using store = await stage.store();
  await expect
    .poll(async () => (await store.listJobs({ states: ['succeeded'], limit: 9 })).items.length)
    .toBe(1);
  killed.kill('SIGKILL');
  await killed.ended;
  await writeFile(stage.join('go'), '');
  const again = await stage.build();
  expect(again.code).toBe(0);
  expect(statesOf(again)['in:in/0.txt']).toBe('restored');
  expect(await stage.files('dist')).toEqual(['dist/in/0.txt', 'dist/in/1.txt', 'dist/in/2.txt']);
  // Whoever finishes them, each is one job.
  expect((await store.listJobs({ limit: 9 })).items).toHaveLength(3);
  await stage.quiet();
  expect(await store.listBuilds()).toEqual([]);
  expect(await store.listWorkers()).toEqual([]);
});

test('two builds at once make each thing once, and both end well', async () => {
  await using stage = await openHeld(6);
  const builds = [stage.start(['build', '--json']), stage.start(['build', '--json'])];
  await expect
    .poll(() => (stage.read('log.txt') ?? '').split('\n').length, { timeout: 20_000 })
    .toBeGreaterThan(2);
  await writeFile(stage.join('go'), '');
  const ended = await Promise.all(builds.map((build) => build.ended));
  expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
    { code: 0, stderr: '' },
    { code: 0, stderr: '' },
  ]);
  await stage.lines('log.txt', 6);
  expect(await stage.files('dist')).toHaveLength(6);
  expect(Object.values(statesOf(await stage.build()))).toEqual(Array.from({ length: 6 }, () => 'cached'));
});

test('a build that is interrupted cancels its jobs, leaves nothing behind and exits 130; the next one goes on', async () => {
  await using stage = await openHeld(4);
  const build = stage.start(['build', '--json']);
  await stage.lines('log.txt', 4);
  build.kill('SIGINT');
  const interrupted = await build.ended;
  expect(interrupted).toMatchObject({ code: 130, signal: null });
  expect(statesOf(interrupted)['in:in/3.txt']).toBe('cancelled');
  await stage.quiet();
  await using store = await stage.store();
  expect((await store.listJobs({ states: ['queued', 'running'], limit: 9 })).items).toEqual([]);
  expect(await store.listWorkers()).toEqual([]);
  await writeFile(stage.join('go'), '');
  const again = await stage.build();
  expect(again.code).toBe(0);
  expect(statesOf(again)['in:in/3.txt']).toBe('built');
});

test('what another build wants, too, is not cancelled with the one that is interrupted', async () => {
  await using stage = await openHeld(2);
  const first = stage.start(['build', '--json']);
  await stage.lines('log.txt', 2);
  const second = stage.start(['build', '--json']);
  await using store = await stage.store();
  await expect
    .poll(
      async () => {
        const builds = await store.listBuilds();
        const wanted = await Promise.all(builds.map(({ id }) => store.listBuildJobs(id)));
        return wanted.map((jobs) => jobs.length).sort();
      },
      { timeout: 20_000 },
    )
    .toEqual([1, 2]);
  first.kill('SIGINT');
  await writeFile(stage.join('go'), '');
  expect((await first.ended).code).toBe(130);
  expect((await second.ended).code).toBe(0);
});

test('a worker that dies in the middle of a job is replaced, and the job is made', async () => {
  await using stage = await openBuildStage({
    'course.yaml': 'jobs:\n  - { type: shout, input: "*.txt" }\n',
    'a.txt': 'crash',
    'b.txt': 'fine',
  });
  const built = await stage.build();
  expect(built.code).toBe(0);
  expect(stage.read('dist/a.txt')).toBe('CRASH');
});

test("a build's own workers take no job of anybody else", async () => {
  await using stage = await openHeld(2);
  const build = stage.start(['build', '--json']);
  await stage.lines('log.txt', 2);
  await using store = await stage.store();
  const [own] = await store.listWorkers();
  expect(own?.buildId).not.toBeNull();
  await stage.write({ go: '', 'other/x.txt': `log ${stage.join('other.txt')}` });
  await store.submitJob({
    id: '01900000-0000-7000-8000-000000000001' as never,
    type: 'shout',
    queue: 'shout',
    input: { source: { file: stage.join('other/x.txt') }, files: ['x.txt'], formats: ['txt'] },
    priority: 100,
    maxAttempts: 1,
    idempotencyKey: null,
    retryOf: null,
    runAtMs: null,
  });
  expect((await build.ended).code).toBe(0);
  const states = (await store.listJobs({ limit: 9 })).items.map(({ status }) => status.state).sort();
  expect(states).toEqual(['queued', 'succeeded', 'succeeded']);
  const status = await stage.run(['status']);
  expect(status.code).toBe(2);
  expect(status.stdout).toContain('1 shout job waits, and no worker takes them.');
  expect(status.stdout).toContain('capstan worker --type shout');
});
