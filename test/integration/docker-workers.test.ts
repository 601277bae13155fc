import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openContainerStage } from '../support/docker/container-stage.ts';
import { docker } from '../support/docker/docker.ts';
import { imageLimitMs, workerImage } from '../support/docker/worker-image.ts';
import { needs } from '../support/needs.ts';
import { recordSocket } from '../support/recording-socket.ts';
import { statesOf } from '../support/build-stage.ts';

const limitMs = 120_000;
const polling = { timeout: 30_000, interval: 50 };
const listSchema = z.object({
  items: z.array(
    z.object({
      mode: z.string(),
      status: z.string(),
      containerId: z.string().nullable(),
      jobsProcessed: z.number(),
    }),
  ),
});
let image = '';

needs('docker').describe('workers in containers', () => {
  beforeAll(async () => {
    image = await workerImage('plantuml');
  }, imageLimitMs);

  test(
    'a build makes its diagrams in a container and leaves none',
    async () => {
      await using built = await openContainerStage(image, 3);
      const first = await built.run(['build', '--json']);
      expect(first).toMatchObject({ code: 0 });
      expect(first.events).toContainEqual(
        expect.objectContaining({ type: 'workers.used', mode: 'docker', started: 1 }),
      );
      expect(built.stage.read('dist/in/0.svg')).toContain('<svg');
      expect(await built.containers()).toEqual([]);
      // The key has the image in it, so that nothing is made again, and without any worker.
      const again = await built.run(['build', '--json']);
      expect(new Set(Object.values(statesOf(again)))).toEqual(new Set(['cached']));
    },
    limitMs,
  );

  test(
    'a container leaves by itself when the build that started it is killed',
    async () => {
      await using built = await openContainerStage(image, 40);
      const build = built.start(['build', '--json']);
      await built.whenContainers(1);
      build.kill('SIGKILL');
      await build.ended;
      await built.whenContainers(0);
    },
    limitMs,
  );

  test(
    'a container that is killed at work costs no job: another takes its place at once',
    async () => {
      await using built = await openContainerStage(image, 60);
      const build = built.start(['build', '--json']);
      await using store = await built.stage.store();
      await expect
        .poll(async () => (await store.listJobs({ states: ['running'], limit: 9 })).items.length, polling)
        .toBeGreaterThan(0);
      const [busy = ''] = await built.containers();
      await docker('kill', busy);
      const { code, events } = await build.ended;
      expect(code).toBe(0);
      expect(events.filter(({ type }) => type === 'task.finished')).toHaveLength(60);
    },
    limitMs,
  );

  test(
    'services in containers outlive the command, serve builds, and are gone when they are stopped',
    async () => {
      await using built = await openContainerStage(image, 2);
      const listed = async () =>
        listSchema.parse(JSON.parse((await built.run(['workers', 'list', '--json'])).stdout)).items;
      expect(await built.run(['start-services', '--plantuml-workers=2'])).toMatchObject({
        code: 0,
      });
      const ids = await built.containers();
      const workers = await listed();
      expect(workers.map(({ containerId }) => containerId).sort()).toEqual([...ids].sort());
      expect(workers).toEqual([
        expect.objectContaining({ mode: 'docker', status: 'idle' }),
        expect.objectContaining({ mode: 'docker', status: 'idle' }),
      ]);
      const { events } = await built.run(['build', '--json', '--no-auto-start']);
      expect(events).toContainEqual(expect.objectContaining({ type: 'workers.used', reused: 2, started: 0 }));
      expect(await built.run(['start-services', '--plantuml-workers=2'])).toMatchObject({ code: 0 });
      expect([...(await built.containers())].sort()).toEqual([...ids].sort());

      // The engine proves it, not silence; who was killed by hand stays down.
      await docker('kill', ids[0] ?? '');
      expect((await listed()).map(({ status }) => status).sort()).toEqual(['dead', 'idle']);
      const cleaned = await built.run(['workers', 'cleanup']);
      expect(cleaned.stdout).toContain('its container is gone');
      expect(await built.containers()).toHaveLength(1);
      expect(await built.run(['stop-services'])).toMatchObject({ code: 0 });
      expect(await built.containers()).toEqual([]);
      expect(await listed()).toEqual([]);
    },
    limitMs,
  );

  test(
    'services that run as processes are not started again in containers beside them',
    async () => {
      await using built = await openContainerStage(image, 1);
      const direct = { CAPSTAN_WORKERS__PLANTUML__EXECUTION_MODE: 'direct' };
      expect(await built.run(['start-services'], direct)).toMatchObject({ code: 0 });
      expect(await built.run(['start-services'])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('services_in_other_mode') as string,
      });
      expect(await built.containers()).toEqual([]);
      expect(await built.run(['stop-services'])).toMatchObject({ code: 0 });
      await built.stage.quiet();
      expect(await built.run(['start-services'])).toMatchObject({ code: 0 });
      expect(await built.run(['stop-services'])).toMatchObject({ code: 0 });
    },
    limitMs,
  );

  test(
    'services that run as processes make nothing of a build that asks for containers, nor the other way round',
    async () => {
      await using built = await openContainerStage(image, 1);
      const direct = { CAPSTAN_WORKERS__PLANTUML__EXECUTION_MODE: 'direct' };
      const own = (mode: string): unknown =>
        expect.arrayContaining([
          expect.objectContaining({ type: 'workers.used', mode, reused: 0, started: 1 }),
        ]);
      for (const [services, build, mode] of [
        [direct, {}, 'docker'],
        [{}, direct, 'direct'],
      ] as const) {
        expect(await built.run(['start-services'], services)).toMatchObject({ code: 0 });
        expect(await built.run(['build', '--json'], build)).toMatchObject({ code: 0, events: own(mode) });
        const { stdout } = await built.run(['workers', 'list', '--format', 'json']);
        expect(listSchema.parse(JSON.parse(stdout)).items).toMatchObject([{ jobsProcessed: 0 }]);
        expect(await built.run(['stop-services'])).toMatchObject({ code: 0 });
        await built.stage.quiet();
      }
    },
    limitMs,
  );

  test(
    'a service that crashes is started again, and its row is that of its new life',
    async () => {
      await using built = await openContainerStage(image, 1);
      await built.run(['start-services']);
      await using store = await built.stage.store();
      const [before] = await store.listWorkers();
      const [id = ''] = await built.containers();
      await docker('exec', id, 'sh', '-c', 'kill -9 $(cat /proc/1/task/1/children)');
      const now = async () => (await store.listWorkers()).map((worker) => worker.id);
      await expect.poll(now, polling).toEqual([expect.not.stringMatching(before?.id ?? '')]);
      await built.run(['stop-services']);
    },
    limitMs,
  );

  test(
    'a container whose build is gone and that cannot leave is ended by a cleanup; others are not touched',
    async () => {
      await using built = await openContainerStage(image, 40);
      const build = built.start(['build', '--json']);
      const [orphan = ''] = await built.whenContainers(1);
      await expect
        .poll(() => docker('inspect', '--format', '{{.State.Running}}', orphan), polling)
        .toBe('true');
      await docker('pause', orphan);
      build.kill('SIGKILL');
      await build.ended;
      expect((await built.run(['workers', 'cleanup', '--dry-run'])).stdout).toContain(
        `would end plantuml worker`,
      );
      expect(await built.containers()).toEqual([orphan]);
      expect(await built.run(['workers', 'cleanup'])).toMatchObject({ code: 0 });
      expect(await built.containers()).toEqual([]);
    },
    limitMs,
  );

  test(
    'a build whose worker is paused says so once, and goes on with it',
    async () => {
      await using built = await openContainerStage(image, 40);
      const build = built.start(['build']);
      await using store = await built.stage.store();
      const running = async () => (await store.listJobs({ states: ['running'], limit: 9 })).items.length;
      await expect.poll(running, polling).toBeGreaterThan(0);
      const [paused = ''] = await built.containers();
      await docker('pause', paused);
      await expect.poll(() => build.said(), polling).toContain('hangs or is paused');
      await docker('unpause', paused);
      const { code, stderr } = await build.ended;
      expect(code).toBe(0);
      for (const once of ['hangs or is paused', 'started 1 docker'])
        expect(stderr.split(once)).toHaveLength(2);
    },
    limitMs,
  );

  test(
    'what is missing is said before any job is accepted, and nothing is left',
    async () => {
      await using built = await openContainerStage(image, 1);
      const failing = async (env: Readonly<Record<string, string>>, ...args: readonly string[]) => {
        const { code, stderr } = await built.run(['build', '--no-pull', ...args], {
          CAPSTAN_WORKERS__START_RETRIES: '0',
          ...env,
        });
        return { code, stderr };
      };
      const dead = { DOCKER_HOST: `unix://${built.stage.join('no.sock')}` };
      expect(await failing(dead)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('docker_unavailable') as string,
      });
      // Who launches nothing needs no engine.
      expect(await built.run(['workers', 'list'], dead)).toMatchObject({ code: 0 });
      expect(await built.run(['status'], dead)).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('No Docker engine') as string,
      });
      const absent = { CAPSTAN_WORKERS__PLANTUML__IMAGE: 'capstan-test-absent:none' };
      expect(await failing(absent)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('image_missing') as string,
      });
      await using store = await built.stage.store();
      expect((await store.listJobs({ limit: 1 })).items).toEqual([]);
    },
    limitMs,
  );

  test(
    'a container that dies at once says with what, and what its last words were',
    async () => {
      await using built = await openContainerStage(image, 1);
      const dies = await derived(
        built.stage.root,
        `FROM ${image}\nENTRYPOINT ["sh","-c","echo I cannot go on >&2; exit 3"]\n`,
      );
      const { code, stderr } = await built.run(['build'], { CAPSTAN_WORKERS__PLANTUML__IMAGE: dies });
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('ended with code 3') as string,
      });
      expect(stderr).toContain('I cannot go on');
      const other = await derived(built.stage.root, `FROM ${image}\nENTRYPOINT []\n`);
      const refused = await built.run(['start-services'], { CAPSTAN_WORKERS__PLANTUML__IMAGE: other });
      expect(refused).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('image_unsuitable') as string,
      });
      expect(await built.containers()).toEqual([]);
      const lacking = await derived(built.stage.root, `FROM ${image}\nUSER root\nRUN rm /usr/bin/java\n`);
      for (const command of ['build', 'start-services']) {
        const ran = await built.run([command], { CAPSTAN_WORKERS__PLANTUML__IMAGE: lacking });
        expect(ran.stderr).toContain(`In the image ${lacking}: `);
        expect(ran.stderr).toContain('workers.plantuml.image');
      }
      await docker('image', 'rm', '--force', dies, other, lacking);
    },
    limitMs,
  );

  test(
    'a build whose workers are killed for want of memory again and again ends, and says which setting to raise',
    async () => {
      await using built = await openContainerStage(image, 40);
      // It takes jobs, and then all the memory there is.
      const script = [
        'exec 3<&0; mkfifo /tmp/said',
        'capstan "$@" <&3 >/tmp/said & IFS= read -r line </tmp/said; printf "%s\\n" "$line"',
        'exec tail /dev/zero',
      ].join('; ');
      const entry = JSON.stringify(['sh', '-c', script, 'worker']);
      const greedy = await derived(built.stage.root, `FROM ${image}\nENTRYPOINT ${entry}\n`);
      const { code, stderr } = await built.run(['build'], {
        CAPSTAN_WORKERS__PLANTUML__IMAGE: greedy,
        CAPSTAN_WORKERS__MEMORY_MB: '256',
      });
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(
          'needed more than its 256 MiB and was killed. (container_died)',
        ) as string,
      });
      expect(stderr).toContain('Raise workers.memory_mb');
      expect(await built.containers()).toEqual([]);
      await docker('image', 'rm', '--force', greedy);
    },
    2 * limitMs,
  );

  test(
    'a container of somebody else that has the name is left alone',
    async () => {
      await using built = await openContainerStage(image, 1);
      const ran = await built.run(['start-services']);
      const [name = ''] = /capstan-service-\S+/.exec(ran.stdout) ?? [];
      await built.run(['stop-services']);
      const label = `capstan-test-run=${process.env['CAPSTAN_TEST_RUN'] ?? 'alone'}`;
      const id = await docker('create', '--name', name, '--label', label, image);
      const { code, stderr } = await built.run(['start-services']);
      expect({ code, stderr }).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('container_name_taken') as string,
      });
      expect(await docker('inspect', '--format', '{{.Id}}', name)).toBe(id);
      await docker('rm', name);
    },
    limitMs,
  );

  test(
    'the key goes to the stdin of the container that needs it: the engine is told of it nowhere else, and others get none',
    async () => {
      await using built = await openContainerStage(image, 1);
      const key = 'sk-a-key-to-look-for';
      await using recorder = await recordSocket(built.stage.join('engine.sock'), '/var/run/docker.sock');
      const env = { DOCKER_HOST: `unix://${recorder.path}`, OPENAI_API_KEY: key };
      expect(await built.run(['build'], env)).toMatchObject({ code: 0 });
      expect(recorder.sent()).toContain('/containers/create?name=');
      expect(recorder.sent()).not.toContain(key);
      // No Codex is in this image: the worker says so, once it was made.
      const codex = {
        ...env,
        CAPSTAN_WORKERS__PLANTUML__COUNT: '0',
        CAPSTAN_WORKERS__CODEX__COUNT: '1',
        CAPSTAN_WORKERS__CODEX__EXECUTION_MODE: 'docker',
        CAPSTAN_WORKERS__CODEX__IMAGE: image,
      };
      expect(await built.run(['start-services'], codex)).toMatchObject({ code: 2 });
      const said = recorder.sent();
      expect(said).toContain(`{"type":"worker.secrets","secrets":{"OPENAI_API_KEY":"${key}"}}\n`);
      expect(said.split(key)).toHaveLength(2);
    },
    limitMs,
  );
});

test('an address on loopback is refused for a container, with the way out', async () => {
  const { requireReachable } = await import('../../src/launcher/docker/require-reachable.ts');
  for (const address of ['http://127.0.0.1:1/v1', 'http://localhost/v1', 'http://[::1]:5/v1'])
    expect(() => {
      requireReachable(address);
    }).toThrow(expect.objectContaining({ code: 'address_unreachable' }));
  expect(() => {
    requireReachable('http://host.docker.internal:1/v1');
  }).not.toThrow();
});

async function derived(folder: string, dockerfile: string): Promise<string> {
  const file = path.join(folder, 'Dockerfile');
  await writeFile(file, dockerfile);
  return docker('build', '--quiet', '--file', file, path.join(folder, 'in'));
}
