import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startScriptedModel } from '../scripted-model/start-scripted-model.ts';
import { docker } from '../support/docker/docker.ts';
import { hostAddress } from '../support/docker/host-address.ts';
import { imageLimitMs, workerImage } from '../support/docker/worker-image.ts';
import { needs } from '../support/needs.ts';
import { tempDir } from '../support/temp-dir.ts';
import { runFolderPrefix } from '../support/test-run.ts';

const run = promisify(execFile);
const bin = path.join(import.meta.dirname, '../../bin/capstan.js');
const key = 'sk-of-the-run-in-docker-test-4711';
const scenario = {
  conversations: [
    {
      turns: [
        { patch: '*** Begin Patch\n*** Add File: added.html\n+<h1>Added</h1>\n*** End Patch' },
        { text: 'Added.' },
      ],
    },
  ],
};

const listSchema = z.object({
  items: z.array(z.object({ status: z.string(), containerId: z.string().nullable() })),
});
const polling = { timeout: 60_000, interval: 250 };

/** The key is in nothing that the engine tells of the container or keeps of it, and in no environment or argument of its processes. */
async function expectUnknown(container: string): Promise<void> {
  const [image, rootDir] = await Promise.all([
    docker('inspect', '--format', '{{.Image}}', container),
    docker('info', '--format', '{{.DockerRootDir}}'),
  ]);
  const look = 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; env';
  const found = {
    inspected: await docker('inspect', container, image),
    history: await docker('history', '--no-trunc', image),
    logs: await docker('logs', container),
    processes: await docker('exec', container, 'sh', '-c', look),
    changes: await docker('diff', container),
    // Where this user may read them.
    stored: await run('grep', ['-rl', key, `${rootDir}/containers/${container}`]).then(
      ({ stdout }) => `${key} in ${stdout}`,
      () => '',
    ),
  };
  for (const [where, said] of Object.entries(found)) expect(said.includes(key), where).toBe(false);
}

needs('docker').describe('where codex workers are to be containers', () => {
  let image = '';
  beforeAll(async () => {
    image = await workerImage('codex');
  }, imageLimitMs);

  async function openStage() {
    await using opening = new AsyncDisposableStack();
    const dir = opening.use(await tempDir('cache'));
    const model = opening.use(
      await startScriptedModel({ host: await hostAddress(), acceptedKeys: [key], scenario }),
    );
    await Promise.all(['home', 'data', 'site'].map((name) => mkdir(dir.join(name))));
    await writeFile(dir.join('site/index.html'), '<h1>Site</h1>\n');
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: dir.join('home'),
      CAPSTAN_DATA: dir.join('data'),
      CAPSTAN_HTTP__PORT: '0',
      CAPSTAN_CODEX__BASE_URL: model.baseUrl,
      CAPSTAN_WORKERS__CODEX__EXECUTION_MODE: 'docker',
      CAPSTAN_WORKERS__CODEX__IMAGE: image,
      CAPSTAN_WORKERS__NETWORK_NAME: `${runFolderPrefix()}run`,
      OPENAI_API_KEY: key,
    };
    const filter = `label=capstan.data=${dir.join('data/capstan.db')}`;
    const held = opening.move();
    return {
      dir,
      env,
      model,
      capstan: (...args: readonly string[]) =>
        run(process.execPath, [bin, ...args], { cwd: dir.path, env }).catch(
          (error: unknown) => error as { readonly stdout: string; readonly stderr: string },
        ),
      containers: (...more: readonly string[]) =>
        docker('ps', '--all', '--quiet', '--no-trunc', '--filter', filter, ...more),
      /** The container of the one worker, once it takes jobs and is another than `before`. */
      async container(before = 'none'): Promise<string> {
        const ready = async (): Promise<string> => {
          const { stdout } = await run(process.execPath, [bin, 'workers', 'list', '--json'], {
            cwd: dir.path,
            env,
          });
          const { items } = listSchema.parse(JSON.parse(stdout));
          return items.find(({ status }) => status === 'idle')?.containerId ?? before;
        };
        await expect.poll(async () => before.startsWith(await ready()), polling).toBe(false);
        return docker('inspect', '--format', '{{.Id}}', await ready());
      },
      async requireJobDone(): Promise<void> {
        const { stdout, stderr } = await run(
          process.execPath,
          [bin, 'run', 'Add a page', '--dir', 'site', '--json'],
          { cwd: dir.path, env: { ...env, OPENAI_API_KEY: '', OPENAI_API_KEY_FILE: '' } },
        ).catch((error: unknown) => error as { readonly stdout: string; readonly stderr: string });
        const last = stdout.trim().split('\n').at(-1) ?? '';
        expect(last, stderr).toMatch(/"type":"job.finished".*"state":"succeeded"/);
      },
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  }

  test('`run` has its job done in one, which goes with it', async () => {
    await using stage = await openStage();
    const { stdout, stderr } = await stage.capstan('run', 'Add a page', '--dir', 'site', '--apply', '--json');
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly type: string; readonly job?: unknown });
    expect(events.at(-1), stderr).toMatchObject({
      type: 'job.finished',
      job: { state: 'succeeded', filesChanged: [{ path: 'added.html' }] },
    });
    expect(await stage.containers()).toBe('');
  });

  test('`serve` has one beside it, which goes with it', async () => {
    await using stage = await openStage();
    const server = spawn(process.execPath, [bin, 'serve', '--json'], {
      cwd: stage.dir.path,
      env: stage.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const exit = once(server, 'exit');
    try {
      // One line, written at once.
      const [said] = (await once(server.stdout, 'data')) as [Buffer];
      expect(JSON.parse(said.toString())).toMatchObject({ type: 'serve.ready', worker: true });
      expect((await stage.containers('--filter', 'label=capstan.type=codex')).split('\n')).toHaveLength(1);
      const { stdout } = await stage.capstan('run', 'Add a page', '--dir', 'site', '--json');
      expect(stdout).toContain('"type":"job.finished"');
      // It was done by the container that was there.
      const listed = await stage.capstan('workers', 'list', '--json');
      expect(JSON.parse(listed.stdout)).toMatchObject({ items: [{ mode: 'docker', jobsProcessed: 1 }] });
    } finally {
      server.kill('SIGTERM');
    }
    expect(await exit).toEqual([0, null]);
    expect(await stage.containers()).toBe('');
  });

  test('the key is known to the worker alone, which gets it again where it is started again', async () => {
    await using stage = await openStage();
    const server = spawn(process.execPath, [bin, 'serve', '--json'], {
      cwd: stage.dir.path,
      env: stage.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const exit = once(server, 'exit');
    try {
      await once(server.stdout, 'data');
      const first = await stage.container();
      await stage.requireJobDone();
      await expectUnknown(first);
      await docker('kill', first);
      const second = await stage.container(first);
      await stage.requireJobDone();
      await expectUnknown(second);
    } finally {
      server.kill('SIGTERM');
    }
    expect(await exit).toEqual([0, null]);
    expect(await stage.containers()).toBe('');
  });

  test('a service gets the key once and says that it cannot come back; with the key in a file it does', async () => {
    await using stage = await openStage();
    const count = Object.fromEntries(
      ['PLANTUML', 'NOTEBOOK', 'DRAWIO'].map((type) => [`CAPSTAN_WORKERS__${type}__COUNT`, '0']),
    );
    Object.assign(stage.env, count);
    try {
      const started = await stage.capstan('start-services');
      expect(started.stderr).toContain('OPENAI_API_KEY_FILE');
      const forgetful = await stage.container();
      await stage.requireJobDone();
      await expectUnknown(forgetful);
      expect(await docker('inspect', '--format', '{{.HostConfig.RestartPolicy.Name}}', forgetful)).toBe('no');
      await stage.capstan('stop-services');
      expect(await stage.containers()).toBe('');

      await writeFile(stage.dir.join('key'), `${key}\n`, { mode: 0o600 });
      Object.assign(stage.env, { OPENAI_API_KEY: '', OPENAI_API_KEY_FILE: stage.dir.join('key') });
      expect((await stage.capstan('start-services')).stderr).not.toContain('OPENAI_API_KEY_FILE');
      const service = await stage.container();
      await expectUnknown(service);
      await docker('exec', service, 'sh', '-c', 'kill -9 $(cat /proc/1/task/1/children)');
      const restarts = () => docker('inspect', '--format', '{{.RestartCount}}', service);
      await expect.poll(restarts, polling).toBe('1');
      await stage.requireJobDone();
      await expectUnknown(service);
    } finally {
      await stage.capstan('stop-services');
    }
    expect(await stage.containers()).toBe('');
  });

  test('with a login in CODEX_HOME the container has no key; a refused one says how to log in, and a new one is used', async () => {
    await using stage = await openStage();
    const login = stage.dir.join('login');
    await mkdir(login);
    await writeFile(path.join(login, 'config.toml'), `openai_base_url = "${stage.model.baseUrl}"\n`);
    const logIn = (token: string) =>
      writeFile(path.join(login, 'auth.json'), JSON.stringify({ OPENAI_API_KEY: token }), { mode: 0o600 });
    await logIn(key);
    Object.assign(stage.env, {
      OPENAI_API_KEY: '',
      CAPSTAN_CODEX__AUTH: 'home',
      CAPSTAN_CODEX__HOME: login,
      ...Object.fromEntries(
        ['PLANTUML', 'NOTEBOOK', 'DRAWIO'].map((type) => [`CAPSTAN_WORKERS__${type}__COUNT`, '0']),
      ),
    });
    try {
      const elsewhere = { ...stage.env, CAPSTAN_CODEX__HOME: stage.dir.join('none') };
      const missing = await run(process.execPath, [bin, 'start-services'], {
        cwd: stage.dir.path,
        env: elsewhere,
      }).catch((error: unknown) => error as { readonly stderr: string });
      expect(missing.stderr).toContain('codex_home_missing');
      await stage.capstan('start-services');
      const container = await stage.container();
      await stage.requireJobDone();
      await expectUnknown(container);
      expect(stage.model.requests.at(-1)?.token).toBe(key);

      stage.model.setAcceptedKeys(['another-key']);
      // The first is refused by the provider, the second by what the worker knows.
      for (const _time of ['refused', 'known']) {
        const { stdout } = await stage.capstan('run', 'Add a page', '--dir', 'site', '--json');
        expect(stdout).toMatch(/"failure":\{"kind":"auth","code":"key_refused"/);
        expect(stdout).toContain(`CODEX_HOME=${login} codex login`);
      }
      await logIn('another-key');
      await stage.requireJobDone();
      expect(stage.model.requests.at(-1)?.token).toBe('another-key');
      expect(await stage.container()).toBe(container);
    } finally {
      await stage.capstan('stop-services');
    }
    expect(await stage.containers()).toBe('');
  });

  test('an image that is not there is told before the job is accepted', async () => {
    await using stage = await openStage();
    stage.env.CAPSTAN_WORKERS__CODEX__IMAGE = 'capstan-test-no-such-image:none';
    const { stderr } = await stage.capstan('run', 'Add a page', '--dir', 'site');
    expect(stderr).toMatch(/image_(?:pull_failed|missing)/);
    const { stdout } = await stage.capstan('jobs', 'list', '--json');
    expect(stdout).not.toContain('Add a page');
  });
});
