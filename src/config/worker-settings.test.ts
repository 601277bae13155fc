import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from './load-config.ts';
import { platformPaths } from './platform-paths.ts';
import { workerDemand } from './worker-settings.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'capstan-workers-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

type Given = {
  readonly flags?: Record<string, unknown>;
  readonly env?: Record<string, string>;
  readonly file?: string;
  readonly user?: string;
};

function demandOf(type: string, { flags = {}, env = {}, file, user }: Given) {
  const paths = platformPaths({ name: 'linux', home: join(root, 'home'), environment: {} });
  const write = (path: string, text: string | undefined): void => {
    if (text === undefined) return;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  write(join(root, 'work/.capstan/config.toml'), file);
  write(paths.userConfigFile, user);
  mkdirSync(join(root, 'work'), { recursive: true });
  // What an untrusted one may say is another matter.
  const environment = { CAPSTAN_TRUSTED_PROJECTS: join(root, 'work'), ...env };
  return workerDemand(loadConfig({ flags, environment, cwd: join(root, 'work'), paths }), type);
}

test('nothing is set: one direct worker of each type', () => {
  for (const type of ['codex', 'plantuml', 'notebook', 'drawio', 'other'])
    expect(demandOf(type, {})).toEqual({ type, mode: 'direct', count: 1, image: null, source: 'default' });
});

test.each([
  ['default count', { file: '[workers]\ndefault_worker_count = 3' }, { count: 3 }],
  [
    'default mode',
    { file: '[workers]\ndefault_execution_mode = "docker"\n[workers.notebook]\nimage = "i:1"' },
    { mode: 'docker', image: 'i:1' },
  ],
  ['own count', { file: '[workers]\ndefault_worker_count = 3\n[workers.notebook]\ncount = 2' }, { count: 2 }],
  ['own mode', { file: '[workers.notebook]\nexecution_mode = "docker"\nimage = "i"' }, { mode: 'docker' }],
  ['CAPSTAN_ default count', { env: { CAPSTAN_WORKERS__DEFAULT_WORKER_COUNT: '4' } }, { count: 4 }],
  ['CAPSTAN_ own count', { env: { CAPSTAN_WORKERS__NOTEBOOK__COUNT: '5' } }, { count: 5 }],
  [
    'CAPSTAN_ own mode and image',
    { env: { CAPSTAN_WORKERS__NOTEBOOK__EXECUTION_MODE: 'docker', CAPSTAN_WORKERS__NOTEBOOK__IMAGE: 'i' } },
    { mode: 'docker', image: 'i' },
  ],
  [
    'CLX_ default mode',
    { env: { CLX_WORKERS__DEFAULT_EXECUTION_MODE: 'docker', CLX_WORKERS__NOTEBOOK__IMAGE: 'i' } },
    { mode: 'docker' },
  ],
  ['CLX_ default count', { env: { CLX_WORKERS__DEFAULT_WORKER_COUNT: '6' } }, { count: 6 }],
  ['CLX_ own count', { env: { CLX_WORKERS__NOTEBOOK__COUNT: '7' } }, { count: 7 }],
  ['CLX_ own mode', { env: { CLX_WORKERS__NOTEBOOK__EXECUTION_MODE: 'direct' } }, { mode: 'direct' }],
  [
    '--workers',
    { flags: { workers: 'docker' }, env: { CAPSTAN_WORKERS__NOTEBOOK__IMAGE: 'i' } },
    { mode: 'docker', source: '--workers' },
  ],
  ['--worker-count', { flags: { workerCount: '2' } }, { count: 2, source: '--worker-count' }],
  [
    '--notebook-workers',
    { flags: { notebookWorkers: '3', workerCount: '2' } },
    { count: 3, source: '--notebook-workers' },
  ],
] as const)('%s', (_name, given, expected) => {
  expect(demandOf('notebook', given)).toMatchObject(expected);
});

test('what is said more strongly goes before what is said more closely', () => {
  const file = '[workers.notebook]\nexecution_mode = "docker"\nimage = "i"\ncount = 4';
  expect(demandOf('notebook', { file, flags: { workers: 'direct', workerCount: '2' } })).toMatchObject({
    mode: 'direct',
    count: 2,
  });
  expect(demandOf('notebook', { file, user: '[workers]\ndefault_worker_count = 9' })).toMatchObject({
    count: 4,
  });
  expect(
    demandOf('notebook', { file: '[workers.notebook]\ncount = 0', flags: { workerCount: '2' } }),
  ).toMatchObject({ count: 0 });
});

test('docker without an image is refused with the name of the key', () => {
  const refused = expect.objectContaining({
    code: 'worker_image_missing',
    details: { key: 'workers.plantuml.image' },
  });
  expect(() => demandOf('plantuml', { flags: { workers: 'docker' } })).toThrow(refused);
  expect(() => demandOf('plantuml', { file: '[workers.plantuml]\nexecution_mode = "docker"' })).toThrow(
    'workers.plantuml.image is not set',
  );
  expect(demandOf('plantuml', { flags: { workers: 'docker', plantumlWorkers: '0' } })).toMatchObject({
    count: 0,
  });
});

test('slips are refused with the nearest name', () => {
  expect(() => demandOf('notebook', { file: '[workers.notebok]\ncount = 1' })).toThrow(
    'workers.notebook.count',
  );
  expect(() => demandOf('notebook', { file: '[workers]\ndefault_worker_cuont = 1' })).toThrow(
    'did you mean workers.default_worker_count?',
  );
  expect(() => demandOf('notebook', { flags: { workers: 'podman' } })).toThrow(
    'must be one of direct, docker',
  );
  expect(() => demandOf('notebook', { env: { CAPSTAN_WORKERS__NOTEBOOK__COUNT: 'many' } })).toThrow(
    'CAPSTAN_WORKERS__NOTEBOOK__COUNT',
  );
});
