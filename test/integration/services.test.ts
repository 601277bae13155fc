import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openBuildStage, type BuildStage } from '../support/build-stage.ts';

const project = {
  'course.yaml': 'jobs:\n  - { type: shout, input: "in/*.txt" }\n',
  'in/a.txt': 'a',
  'in/b.txt': 'b',
};
const listSchema = z.object({
  items: z.array(
    z.object({ name: z.string().nullable(), pid: z.number(), status: z.string(), jobsProcessed: z.number() }),
  ),
});

async function listed(stage: BuildStage, ...args: readonly string[]) {
  const { stdout } = await stage.run(['workers', 'list', '--format', 'json', ...args]);
  return listSchema.parse(JSON.parse(stdout)).items;
}

/** Never 0, which would be the test's own group. */
async function onlyPid(stage: BuildStage): Promise<number> {
  const [worker] = await listed(stage);
  if (worker === undefined) throw new Error('no worker is listed');
  return worker.pid;
}

test('services outlive the command, serve builds and survive them', async () => {
  await using stage = await openBuildStage(project);
  const started = await stage.run(['start-services', '--worker-count=2']);
  expect(started).toMatchObject({ code: 0 });
  const workers = await listed(stage);
  expect(workers.map(({ status }) => status)).toEqual(['idle', 'idle']);
  const built = await stage.build('--no-auto-start');
  expect(built.code).toBe(0);
  expect(built.events).toContainEqual(
    expect.objectContaining({ type: 'workers.used', reused: 2, started: 0 }),
  );
  const after = await listed(stage);
  expect(after.map(({ pid }) => pid)).toEqual(workers.map(({ pid }) => pid));
  expect(after.reduce((sum, { jobsProcessed }) => sum + jobsProcessed, 0)).toBe(2);
  expect((await stage.run(['status'])).code).toBe(0);

  await stage.run(['stop-services']);
});

test('services that nobody waited for get ready all the same, and go on', async () => {
  await using stage = await openBuildStage(project);
  expect((await stage.run(['start-services', '--no-wait'])).code).toBe(0);
  const built = async (): Promise<number | null> => (await stage.build('--no-auto-start')).code;
  await expect.poll(built, { timeout: 30_000, interval: 200 }).toBe(0);
  expect((await stage.run(['stop-services'])).code).toBe(0);
});

test('services that run are not started twice; stopping them stops them all, and again is nothing', async () => {
  await using stage = await openBuildStage(project);
  await stage.run(['start-services', '--worker-count=2']);
  const workers = await listed(stage);
  expect((await stage.run(['start-services', '--worker-count=2'])).code).toBe(0);
  expect((await listed(stage)).map(({ pid }) => pid)).toEqual(workers.map(({ pid }) => pid));

  const stateFile = path.join(stage.dataDir, 'worker-state.json');
  expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
  expect((await stage.run(['stop-services'])).code).toBe(0);
  await stage.quiet();
  expect(await listed(stage)).toEqual([]);
  await expect(stat(stateFile)).rejects.toThrow('ENOENT');
  expect((await stage.run(['stop-services'])).stderr).toContain('No services run');
});

test('new workers are started beside services where that is asked for, and only they go with the build', async () => {
  await using stage = await openBuildStage(project);
  await stage.run(['start-services']);
  const built = await stage.build('--force-new-workers');
  expect(built.events).toContainEqual(
    expect.objectContaining({ type: 'workers.used', reused: 0, started: 1 }),
  );
  expect((await listed(stage)).map(({ status }) => status)).toEqual(['idle']);
  await stage.run(['stop-services']);
});

test('a service that is suspended is not relied on: the build starts its own', async () => {
  await using stage = await openBuildStage(project);
  await stage.run(['start-services']);
  process.kill(await onlyPid(stage), 'SIGSTOP');
  const built = await stage.build();
  expect(built.code).toBe(0);
  expect(built.events).toContainEqual(
    expect.objectContaining({ type: 'workers.used', reused: 0, started: 1 }),
  );
  const status = await stage.run(['status']);
  expect(status.code).toBe(1);
  expect(status.stdout).toContain('1 shout worker is hung');
  expect(await listed(stage, '--status', 'hung')).toHaveLength(1);
  expect((await stage.run(['workers', 'cleanup'])).stdout).toContain('left alone');
  expect((await stage.run(['workers', 'cleanup', '--force'])).stdout).toContain('ended');
  await stage.quiet();
});

test('a service whose tool has changed since makes nothing of a build: the build starts its own and says why', async () => {
  await using stage = await openBuildStage(project);
  await stage.run(['start-services']);
  await writeFile(path.join(stage.dataDir, 'shout-version'), '2');
  const refused = await stage.run(['build', '--no-auto-start']);
  expect(refused.code).toBe(69);
  expect(refused.stderr).toContain('the shout worker that runs works with another tool');
  const built = await stage.build();
  expect(built.code).toBe(0);
  expect(built.events).toContainEqual(
    expect.objectContaining({ type: 'workers.used', reused: 0, started: 1 }),
  );
  expect(built.events).toContainEqual(
    expect.objectContaining({
      type: 'build.warning',
      message: expect.stringContaining('starts workers of its own') as string,
    }),
  );
  expect((await listed(stage)).map(({ jobsProcessed }) => jobsProcessed)).toEqual([0]);
  await stage.run(['stop-services']);
});

test('jobs of a killed build that no worker’s tool fits are told of, and made by the next build', async () => {
  await using stage = await openBuildStage({ ...project, 'in/a.txt': 'wait go', 'in/b.txt': 'b' });
  const killed = stage.start(['build', '--json']);
  await using store = await stage.store();
  await expect.poll(async () => (await store.queueStats())[0]?.running ?? 0, { timeout: 30_000 }).toBe(1);
  killed.kill('SIGKILL');
  await killed.ended;
  await stage.quiet();
  await writeFile(path.join(stage.dataDir, 'shout-version'), '2');
  await stage.run(['start-services']);
  const status = await stage.run(['status']);
  expect(status.code).toBe(2);
  expect(status.stdout).toMatch(/shout jobs? waits? in shout\.shout-1\.[0-9a-f]{8}/);
  await stage.run(['stop-services']);
  await writeFile(path.join(stage.dataDir, 'shout-version'), '1');
  await stage.write({ go: '' });
  expect((await stage.build()).code).toBe(0);
  expect((await stage.run(['status'])).code).toBe(0);
});

test('where one service does not start, none is left', async () => {
  await using stage = await openBuildStage(project);
  await writeFile(path.join(stage.dataDir, 'shout-crashes'), '');
  const failed = await stage.run(['start-services', '--worker-count=2']);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('SIGKILL');
  await stage.quiet();
  await expect(stat(path.join(stage.dataDir, 'worker-state.json'))).rejects.toThrow('ENOENT');
});

test('a service that cannot work is named before any is started, with how the others start without it', async () => {
  await using stage = await openBuildStage(project);
  await writeFile(path.join(stage.dataDir, 'shout-is-locked'), '');
  const refused = await stage.run(['start-services', '--plantuml-workers=1']);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('No shout service can work: The shout tool is locked.') as string,
  });
  expect(refused.stderr).toContain('--shout-workers=0');
  expect(await stage.files('../data')).not.toContainEqual(expect.stringMatching(/\.log$/));
});

test('the services of another database are refused, unless forced', async () => {
  await using stage = await openBuildStage(project);
  await mkdir(stage.join('.capstan'));
  const [one, two] = [stage.join('one/capstan.db'), stage.join('two/capstan.db')];
  expect((await stage.run(['start-services', '--db-path', one])).code).toBe(0);
  const refused = await stage.run(['stop-services', '--db-path', two]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(one);
  expect((await stage.run(['start-services', '--db-path', two])).code).toBe(2);
  expect((await stage.run(['stop-services', '--db-path', two, '--force'])).stderr).toContain(
    'No services run',
  );
  // Told nothing, it stops those that were started here.
  expect((await stage.run(['stop-services'])).stderr).toContain('Stopped capstan-service-');
});

test('what a killed service leaves is shown as dead and cleaned up; a dry run changes nothing', async () => {
  await using stage = await openBuildStage(project);
  await stage.run(['start-services', '--worker-count=1']);
  process.kill(await onlyPid(stage), 'SIGKILL');
  await stage.quiet();
  expect(await listed(stage, '--status', 'dead')).toHaveLength(1);
  expect((await stage.run(['workers', 'cleanup', '--dry-run'])).stdout).toContain(
    'would remove the record of',
  );
  expect(await listed(stage)).toHaveLength(1);
  expect((await stage.run(['workers', 'cleanup'])).code).toBe(0);
  expect(await listed(stage)).toEqual([]);
  // It is missed all the same, until somebody wants no services.
  expect(await stage.run(['status'])).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/The service capstan-service-\S+ is gone\./),
  });
  expect((await stage.run(['stop-services'])).code).toBe(0);
  expect((await stage.run(['status'])).code).toBe(0);
});

test('cleanup ends no process that only has the number of one of ours', async () => {
  await using stage = await openBuildStage(project);
  await using store = await stage.store();
  const { hostname } = await import('node:os');
  await store.registerWorker({
    id: '01900000-0000-7000-8000-000000000002' as never,
    types: ['shout'],
    queues: ['shout'],
    mode: 'direct',
    name: 'capstan-service-x-shout-1',
    process: { host: hostname(), pid: process.pid, startToken: 'boot/pid:[1]/1' },
    concurrency: 1,
  });
  const cleaned = await stage.run(['workers', 'cleanup', '--all', '--force']);
  expect(cleaned.stdout).toContain('removed the record of');
  expect(await store.listWorkers()).toEqual([]);
});

test('a server without a worker says within seconds that jobs wait, and how to start one', async () => {
  await using stage = await openBuildStage({ 'a.txt': 'a' });
  await using store = await stage.store();
  await store.submitJob({
    id: '01900000-0000-7000-8000-000000000003' as never,
    type: 'shout',
    queue: 'shout',
    input: {},
    priority: 0,
    maxAttempts: 1,
    idempotencyKey: null,
    retryOf: null,
    runAtMs: null,
  });
  const server = stage.start(['serve', '--no-worker', '--port', '0']);
  await expect.poll(() => server.said(), { timeout: 30_000 }).toContain('capstan worker --type shout');
  server.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
});

test('an image that an untrusted project names is not run: a build and services say how to trust it, and that is all it takes', async () => {
  const file = '[workers.plantuml]\nimage = "theirs"\n';
  await using stage = await openBuildStage({ ...project, '.capstan/config.toml': file });
  for (const command of ['build', 'start-services']) {
    const refused = await stage.run([command]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`workers.plantuml.image (${stage.join('.capstan/config.toml')}:2)`);
    expect(refused.stderr).toContain(`CAPSTAN_TRUSTED_PROJECTS=${stage.root}`);
  }
  const trusted = await stage.run(['build', '--json'], { CAPSTAN_TRUSTED_PROJECTS: stage.root });
  expect(trusted.code).toBe(0);
  expect(trusted.stderr).toContain('workers.plantuml.image is set by the project');
});
