import { execFile } from 'node:child_process';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import type { JobView } from '../../src/contract/job.ts';
import { startScriptedModel } from '../scripted-model/start-scripted-model.ts';
import { docker } from '../support/docker/docker.ts';
import { hostAddress } from '../support/docker/host-address.ts';
import { imageLimitMs, workerImage } from '../support/docker/worker-image.ts';
import { needs } from '../support/needs.ts';
import { tempDir } from '../support/temp-dir.ts';
import { runFolderPrefix } from '../support/test-run.ts';

const run = promisify(execFile);
const composeFile = path.join(import.meta.dirname, '../../deploy/compose.yaml');
const providerKey = 'sk-of-the-compose-test-4711';
const apiKey = 'an-api-key-of-the-compose-test';
const limitMs = 120_000;
const polling = { timeout: 60_000, interval: 200 };
const used = ['service', 'codex'] as const;
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

/** Whose the data folder is: nobody on this machine, where that may be given away. */
const owner = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() ?? 0);

needs('docker', 'compose').describe('deploy/compose.yaml', () => {
  const images = new Map<string, string>();
  beforeAll(async () => {
    for (const target of used) images.set(target, await workerImage(target));
  }, imageLimitMs);

  async function openProject(project: string) {
    await using opening = new AsyncDisposableStack();
    const dir = opening.use(await tempDir('cache'));
    const model = opening.use(
      await startScriptedModel({ host: await hostAddress(), acceptedKeys: [providerKey], scenario }),
    );
    const [data, site, secrets] = [dir.join('data'), dir.join('site'), dir.join('secrets')];
    await Promise.all([data, site, secrets].map((folder) => mkdir(folder)));
    await writeFile(path.join(site, 'index.html'), '<h1>Site</h1>\n');
    const files = { openai_api_key: providerKey, http_api_key: apiKey };
    for (const [name, key] of Object.entries(files)) {
      await writeFile(path.join(secrets, name), `${key}\n`, { mode: 0o600 });
      await chown(path.join(secrets, name), owner, owner);
    }
    await chown(data, owner, owner);
    // The images of this checkout, any free port, and the folder that the job is about, as the documentation has it mounted.
    const changes = {
      services: Object.fromEntries(
        used.map((name) => [
          name,
          { image: images.get(name), ...(name === 'service' ? { volumes: [`${site}:${site}:ro`] } : {}) },
        ]),
      ),
    };
    await writeFile(dir.join('changes.json'), JSON.stringify(changes));
    const compose = async (...args: readonly string[]): Promise<string> => {
      const named = ['--project-name', project, '--file', composeFile, '--file', dir.join('changes.json')];
      const { stdout } = await run('docker-compose', [...named, ...args], {
        // As documented: the profile of system calls is looked for here.
        cwd: path.dirname(composeFile),
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: dir.path,
          DATA_DIR: data,
          RUN_AS: `${String(owner)}:${String(owner)}`,
          SECRETS_DIR: secrets,
          PORT: '0',
          CODEX_BASE_URL: model.baseUrl,
        },
      });
      return stdout.trim();
    };
    opening.defer(async () => {
      await compose('down', '--volumes', '--timeout', '20');
    });
    await compose('up', '--detach', '--no-build', ...used);
    const url = `http://${await compose('port', 'service', '8081')}`;
    const ask = (where: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${url}${where}`, {
        ...init,
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      });
    const held = opening.move();
    return { site, url, ask, compose, [Symbol.asyncDispose]: () => held.disposeAsync() };
  }

  test(
    'a job that is sent to its API is done by its worker, and the engine knows no key',
    async () => {
      const project = `${runFolderPrefix()}compose`;
      {
        await using stage = await openProject(project);
        const ready = (): Promise<number | string> =>
          fetch(`${stage.url}/readyz`).then(({ status }) => status, String);
        await expect.poll(ready, polling).toBe(200);
        expect((await fetch(`${stage.url}/api/jobs`)).status).toBe(401);
        const submitted = await stage.ask('/api/jobs', {
          method: 'POST',
          body: JSON.stringify({
            type: 'codex',
            input: { prompt: 'Add a page', source: { dir: stage.site } },
          }),
        });
        expect(submitted.status, await submitted.clone().text()).toBeLessThan(300);
        const { id } = (await submitted.json()) as JobView;
        const job = async () => (await (await stage.ask(`/api/jobs/${id}`)).json()) as JobView;
        await expect.poll(async () => (await job()).state, polling).toMatch(/succeeded|failed/);
        expect(await job(), await stage.compose('logs', '--no-color')).toMatchObject({
          state: 'succeeded',
          filesChanged: [{ path: 'added.html' }],
        });
        const ids = (await stage.compose('ps', '--quiet')).split('\n');
        expect(ids).toHaveLength(used.length);
        const inspected = await docker('inspect', ...ids);
        expect(inspected).toContain('OPENAI_API_KEY_FILE');
        for (const key of [providerKey, apiKey]) expect(inspected).not.toContain(key);
      }
      for (const kind of [
        ['ps', '--all'],
        ['network', 'ls'],
        ['volume', 'ls'],
      ])
        expect(
          await docker(...kind, '--quiet', '--filter', `label=com.docker.compose.project=${project}`),
        ).toBe('');
    },
    limitMs,
  );
});
