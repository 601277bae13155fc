import { execFile } from 'node:child_process';
import { chown, cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { buildEventSchema } from '../../src/contract/build-event.ts';
import { startScriptedModel } from '../scripted-model/start-scripted-model.ts';
import { docker } from '../support/docker/docker.ts';
import { hostAddress } from '../support/docker/host-address.ts';
import { contained } from '../support/docker/run-contained.ts';
import { imageLimitMs, workerImage, type ImageTarget } from '../support/docker/worker-image.ts';
import { needs } from '../support/needs.ts';
import { tempDir } from '../support/temp-dir.ts';
import { runFolderPrefix } from '../support/test-run.ts';

const run = promisify(execFile);
const checkout = path.join(import.meta.dirname, '../..');
const bin = path.join(checkout, 'bin/capstan.js');
const key = 'sk-of-the-images-test-4711';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** What `capstan doctor` has to find in each image. */
const tools: Readonly<Record<ImageTarget, readonly string[]>> = {
  codex: ['codex', 'sandbox', 'tool jail'],
  service: ['codex', 'sandbox', 'tool jail'],
  plantuml: ['plantuml', 'graphviz', 'tool jail'],
  notebook: ['notebook', 'tool jail'],
  drawio: ['drawio', 'tool jail'],
};
const targets = Object.keys(tools) as ImageTarget[];

const manifest = `
name: All in containers
jobs:
  - { type: plantuml, input: 'diagrams/model.puml', uses: 'diagrams/*.iuml', format: [svg] }
  - { type: drawio, input: diagrams/network.drawio, format: [svg] }
  - { type: notebook, input: slides/graphs.ipynb, format: html, execute: true }
  - { id: pages, type: codex, source: pages, prompt: Add a page, checks: grep Added added.html }
`;

/** Who has no rights on this machine but to use its engine; whoever runs the tests, where that is not root. */
async function ordinaryUser(): Promise<{ readonly uid: number; readonly gid: number }> {
  if (process.getuid?.() !== 0) return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return { uid: 12_345, gid: (await stat('/var/run/docker.sock')).gid };
}

async function ownAll(
  folder: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<void> {
  await chown(folder, uid, gid);
  for (const name of await readdir(folder, { recursive: true }))
    await chown(path.join(folder, name), uid, gid);
}

needs('docker').describe('images', () => {
  const images = new Map<ImageTarget, string>();
  beforeAll(async () => {
    for (const target of targets) images.set(target, await workerImage(target));
  }, imageLimitMs);

  test.each(targets)(
    '%s has its tools, and works for any user on a read-only root without rights',
    async (target) => {
      const args = [...contained(), '--network', 'none', '--env', 'OPENAI_API_KEY=none'];
      // It fails for what an image of one type does not have.
      const said = await run('docker', [
        'run',
        '--rm',
        ...args,
        images.get(target) ?? '',
        'doctor',
        '--json',
      ]).catch((error: unknown) => error as { readonly stdout: string });
      const { checks } = JSON.parse(said.stdout) as { readonly checks: readonly Check[] };
      const found = checks.filter(({ name }) => tools[target].includes(name));
      expect(found.map(({ name, ok }) => ({ name, ok }))).toEqual(
        tools[target].map((name) => ({ name, ok: true })),
      );
    },
  );

  test('carry no key and no file of the checkout that they do not need', async () => {
    const image = images.get('service') ?? '';
    const folder = '/usr/local/lib/node_modules/capstan';
    const files = await docker('run', '--rm', '--label', 'capstan-test', '--entrypoint', 'ls', image, folder);
    expect(files.split('\n')).toEqual([
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'node_modules',
      'package.json',
    ]);
    const env = await docker('image', 'inspect', '--format', '{{json .Config.Env}}', image);
    expect(env).not.toMatch(/KEY|TOKEN|SECRET/);
  });

  test("an ordinary user's build makes one job of each type in its container", async () => {
    const user = await ordinaryUser();
    await using dir = await tempDir('cache');
    await using model = await startScriptedModel({
      host: await hostAddress(),
      acceptedKeys: [key],
      scenario: {
        conversations: [
          {
            turns: [
              { patch: '*** Begin Patch\n*** Add File: added.html\n+<h1>Added</h1>\n*** End Patch' },
              { text: 'Added.' },
            ],
          },
        ],
      },
    });
    const project = dir.join('project');
    await cp(path.join(checkout, 'examples/course'), project, { recursive: true });
    await mkdir(path.join(project, 'pages'));
    await writeFile(path.join(project, 'pages/index.html'), '<h1>Site</h1>\n');
    await writeFile(path.join(project, 'all.yaml'), manifest);
    await Promise.all([mkdir(dir.join('home')), mkdir(dir.join('data'))]);
    await ownAll(dir.path, user);
    const { stdout } = await run(process.execPath, [bin, 'build', 'all.yaml', '--workers=docker', '--json'], {
      cwd: project,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: dir.join('home'),
        CAPSTAN_DATA: dir.join('data'),
        CAPSTAN_CODEX__BASE_URL: model.baseUrl,
        CAPSTAN_WORKERS__NETWORK_NAME: `${runFolderPrefix()}images`,
        ...Object.fromEntries(
          ['codex', 'plantuml', 'notebook', 'drawio'].map((type) => [
            `CAPSTAN_WORKERS__${type.toUpperCase()}__IMAGE`,
            images.get(type as ImageTarget) ?? '',
          ]),
        ),
        OPENAI_API_KEY: key,
      },
      ...user,
    });
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => buildEventSchema.parse(JSON.parse(line)));
    const used = events.flatMap((event) =>
      event.type === 'workers.used' ? [`${event.mode} ${event.workerType}`] : [],
    );
    expect(used.sort()).toEqual(['docker codex', 'docker drawio', 'docker notebook', 'docker plantuml']);
    const output = (file: string): Promise<string> => readFile(path.join(project, 'dist', file), 'utf8');
    expect(await output('diagrams/graph-model.svg')).toContain('WeightedGraph');
    expect(await output('diagrams/network-Triangle.svg')).toContain('<svg');
    // What only the notebook's execution can know.
    expect(await output('slides/graphs.html')).toContain('{1: 2, 2: 2, 3: 3, 4: 1}');
    expect(await output('pages/added.html')).toBe('<h1>Added</h1>\n');
    expect((await stat(path.join(project, 'dist/pages/added.html'))).uid).toBe(user.uid);
    const left = await docker(
      'ps',
      '--all',
      '--quiet',
      '--filter',
      `label=capstan.data=${dir.join('data/capstan.db')}`,
    );
    expect(left).toBe('');
  });
});
