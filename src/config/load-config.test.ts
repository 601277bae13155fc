import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError, toFailure } from '../runtime/app-error.ts';
import { environmentAliases, flagAliases } from './aliases.ts';
import type { Environment } from './environment.ts';
import type { Problem } from './layer.ts';
import { loadConfig, type LoadedConfig } from './load-config.ts';
import { namedSettings } from './named-settings.ts';
import type { Flags } from './read-flag-layer.ts';

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'capstan-config-')));
  mkdirSync(join(root, 'work', 'deep'), { recursive: true });
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const projectFile = 'work/.capstan/config.toml';
const userFile = 'user/config.toml';
const systemFile = 'system/config.toml';

function file(path: string, content: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

function load(environment: Environment = {}, flags: Flags = {}): LoadedConfig {
  const paths = {
    home: join(root, 'home'),
    userConfigFile: join(root, userFile),
    systemConfigFile: join(root, systemFile),
    userDataDir: join(root, 'data'),
  };
  return loadConfig({ flags, environment, cwd: join(root, 'work', 'deep'), paths });
}

function refusal(environment: Environment = {}, flags: Flags = {}): AppError {
  try {
    load(environment, flags);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

function problems(environment: Environment = {}, flags: Flags = {}): readonly Problem[] {
  return refusal(environment, flags).details['problems'] as readonly Problem[];
}

test('without any source everything has its default, frozen', () => {
  const { config, origins } = load();
  expect(config).toMatchObject({
    dataDir: join(root, 'data'),
    dbPath: join(root, 'data', 'capstan.db'),
    codex: {
      bin: null,
      home: join(root, 'data', 'codex-home'),
      model: 'gpt-5.5',
      baseUrl: 'https://api.openai.com/v1',
      sandboxMode: 'workspace-write',
      stallTimeoutMs: 600_000,
      timeoutMs: 3_600_000,
    },
    http: { host: '127.0.0.1', port: 8081, apiKey: null },
  });
  expect(new Set([...origins.values()].map(({ layer }) => layer))).toEqual(new Set(['default']));
  expect([config, config.codex, config.http.allowedHosts].every((part) => Object.isFrozen(part))).toBe(true);
});

test('the stronger source wins, and each value says where it comes from', () => {
  const system = file(
    systemFile,
    '[codex]\nmodel = "system"\ndriver = "exec"\n[http]\nport = 1\n[worker]\nlease = "1m"',
  );
  const user = file(userFile, 'codex = { model = "user" }\n[http]\nport = 2\n[worker]\nconcurrency = 7');
  const project = file(projectFile, '# comment\ncodex.model = "project"\n[http]\nport = 3');
  const environment = { CAPSTAN_CODEX__MODEL: 'environment', CAPSTAN_HTTP__PORT: '4' };
  const { config, origins } = load(environment, { model: 'flag' });
  expect(config).toMatchObject({
    codex: { model: 'flag', driver: 'exec' },
    http: { port: 4 },
    worker: { concurrency: 7, leaseMs: 60_000 },
  });
  expect(origins.get('codex.model')).toEqual({ layer: 'flag', where: '--model' });
  expect(origins.get('http.port')).toEqual({ layer: 'environment', where: 'CAPSTAN_HTTP__PORT' });
  expect(origins.get('worker.concurrency')).toEqual({ layer: 'user', where: `${user}:5` });
  expect(origins.get('worker.lease')).toEqual({ layer: 'system', where: `${system}:7` });
  expect(load().config.codex.model).toBe('project');
  expect(load().origins.get('codex.model')).toEqual({ layer: 'project', where: `${project}:2` });
});

test('every problem of every source is reported at once, with its place', () => {
  const project = file(projectFile, '[codex]\ndriver = "exce"\nmodle = "x"\n\n[htp]\nport = 1');
  const user = file(userFile, 'codex = 3');
  const error = refusal(
    { CAPSTAN_CODEX__BASE_URI: 'x', CAPSTAN_WORKER__CONCURRENCY: 'many' },
    { port: '99999', codexNetwork: 'perhaps' },
  );
  expect(error).toMatchObject({ kind: 'configuration', code: 'invalid_configuration' });
  const found = error.details['problems'] as readonly Problem[];
  expect(new Set(found.map(({ name, origin }) => `${name} ${origin}`))).toEqual(
    new Set(
      [
        ['CAPSTAN_CODEX__BASE_URI', 'environment'],
        ['codex.modle', `${project}:3`],
        ['htp.port', `${project}:6`],
        ['codex', `${user}:1`],
        ['codex.network', '--codex-network'],
        ['http.port', '--port'],
        ['worker.concurrency', 'CAPSTAN_WORKER__CONCURRENCY'],
        ['codex.driver', `${project}:2`],
      ].map((pair) => pair.join(' ')),
    ),
  );
  expect(found.find(({ name }) => name === 'codex.modle')?.message).toContain('codex.model');
  expect(found.find(({ name }) => name === 'htp.port')?.message).toContain('http.port');
  expect(found.find(({ name }) => name.endsWith('URI'))?.message).toContain('CAPSTAN_CODEX__BASE_URL');
  for (const { name, origin, message } of found)
    expect(error.message).toContain(`${name} (${origin}): ${message}`);
});

test('a malformed file is named with line and column, and not quoted', () => {
  const project = file(projectFile, '[http]\napi_key = "quoted-secret\nport = 1');
  const found = problems();
  expect(found).toHaveLength(1);
  expect(found[0]?.origin).toMatch(new RegExp(`^${project}:2:\\d+$`));
  expect(refusal().message).not.toContain('quoted-secret');
});

test('a file that is a folder is a problem', () => {
  mkdirSync(join(root, userFile), { recursive: true });
  expect(problems()[0]).toMatchObject({ origin: join(root, userFile) });
});

test('no value is ever in an error or in the printed configuration', () => {
  const key = 'sk-the-value-of-a-key';
  file(
    projectFile,
    `[codex]\ndriver = "${key}"\nbase_url = "https://me:${key}@host"\n[http]\nport = "${key}"\napi_key = ["${key}"]`,
  );
  const error = refusal({ CAPSTAN_LOG__LEVEL: key }, { timeout: key });
  expect(error.details['problems']).toHaveLength(6);
  expect(inspect(error, { depth: 9 }) + JSON.stringify([error.details, toFailure(error)])).not.toContain(key);
  rmSync(join(root, projectFile));
  const { config } = load({ CAPSTAN_HTTP__API_KEY: key });
  expect(config.http.apiKey?.reveal()).toBe(key);
  expect(inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config)).not.toContain(key);
});

test('the images of workers and their network are programs and ways out: no untrusted project names them', () => {
  const types = ['codex', 'plantuml', 'notebook', 'drawio'];
  file(
    projectFile,
    `[workers]\nnetwork_name = "host"\ndefault_execution_mode = "docker"\n${types
      .map((type) => `[workers.${type}]\nimage = "theirs"\ncount = 2\n`)
      .join('')}`,
  );
  expect(problems().map(({ name }) => name)).toEqual([
    'workers.network_name',
    ...types.map((type) => `workers.${type}.image`),
  ]);
  expect(refusal().message).toContain(`CAPSTAN_TRUSTED_PROJECTS=${join(root, 'work')}`);
  const { config } = load({ CAPSTAN_TRUSTED_PROJECTS: join(root, 'work') });
  expect(config.workers.drawio.image).toBe('theirs');
});

test('a secret may be in a file that a variable names, and what is wrong with that is said with the rest', () => {
  const key = file('key', 'k-0123456789abcdef\n');
  const loaded = load({ CAPSTAN_HTTP__API_KEY_FILE: key });
  expect(loaded.config.http.apiKey?.reveal()).toBe('k-0123456789abcdef');
  expect(loaded.origins.get('http.api_key')?.where).toBe('CAPSTAN_HTTP__API_KEY_FILE');
  const found = problems({
    CAPSTAN_HTTP__API_KEY_FILE: join(root, 'none'),
    PROXY_API_KEY_FILE: key,
    PROXY_API_KEY: 'other',
    CAPSTAN_CODEX__MODEL_FILE: key,
  });
  expect(found.map(({ name, origin }) => [name, origin])).toEqual([
    ['http.api_key', 'CAPSTAN_HTTP__API_KEY_FILE'],
    ['gateway.api_key', 'PROXY_API_KEY_FILE'],
    ['CAPSTAN_CODEX__MODEL_FILE', 'environment'],
  ]);
});

test('every setting can be said by each of its variables and flags', () => {
  const samples = {
    duration: '90s',
    switch: 'true',
    list: 'a, b',
    path: 'p',
    program: 'p',
    text: 'https://x',
    secret: 's3cret',
  };
  for (const { name, variables, flags, setting } of namedSettings) {
    const least = /from (\d+) to/.exec(setting.accepts)?.[1] ?? '';
    const text =
      setting.kind === 'choice'
        ? (setting.accepts.split(', ')[1] ?? '')
        : { ...samples, number: String(Math.max(3, Number(least))) }[setting.kind];
    const also = { CAPSTAN_CODEX__ALLOW_DANGER: 'true' };
    for (const variable of variables) {
      expect(load({ ...also, [variable]: text }).origins.get(name)?.where).toBe(variable);
    }
    for (const flag of flags) {
      const option = flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      expect(load(also, { [option]: text }).origins.get(name)?.where).toBe(`--${flag}`);
    }
  }
  const names = namedSettings.map(({ name }) => name);
  for (const name of [...Object.values(environmentAliases), ...Object.values(flagAliases)])
    expect(names).toContain(name);
});

test('CLX_ stands for CAPSTAN_, and other CLX_ variables are not ours', () => {
  expect(load({ CLX_CODEX__MODEL: 'm', CLX_OTHER: 'x' }).config.codex.model).toBe('m');
  expect(load({ CLX_CODEX__MODEL: 'm', CAPSTAN_CODEX__MODEL: 'n' }).config.codex.model).toBe('n');
});

test('an empty variable is an unset one; an inherited CAPSTAN_ATTEMPT is no problem', () => {
  expect(load({ CAPSTAN_CODEX__MODEL: '', CAPSTAN_ATTEMPT: 'a' }).config.codex.model).toBe('gpt-5.5');
});

test('flags of a command that are no settings are left alone', () => {
  expect(load({}, { dir: 'site', json: true, model: undefined }).config.codex.model).toBe('gpt-5.5');
});

test('relative paths start at the working folder, in a file at that file', () => {
  const project = file(projectFile, 'codex.bin = "./codex"\ncodex.home = "~/agents"');
  const trusting = { CAPSTAN_TRUSTED_PROJECTS: join(root, 'work') };
  expect(load(trusting).config.codex).toMatchObject({
    bin: join(dirname(project), 'codex'),
    home: join(root, 'home', 'agents'),
  });
  const { config } = load({ ...trusting, CODEX_BIN: 'codex' }, { codexHome: 'here' });
  expect(config.codex).toMatchObject({ bin: 'codex', home: join(root, 'work', 'deep', 'here') });
});

test("the data folder: --db-path's, CAPSTAN_DATA, a file's, the nearest .capstan, the user's", () => {
  expect(load().config.dataDir).toBe(join(root, 'data'));
  mkdirSync(join(root, 'work', '.capstan'));
  expect(load().config.dataDir).toBe(join(root, 'work', '.capstan'));
  file(userFile, 'data_dir = "/from-file"');
  expect(load().config).toMatchObject({ dataDir: '/from-file', dbPath: '/from-file/capstan.db' });
  expect(load({ CAPSTAN_DATA: '/from-env' }).config.dataDir).toBe('/from-env');
  const { config, origins } = load({ CAPSTAN_DATA: '/from-env' }, { dbPath: '/by-flag/jobs.db' });
  expect(config).toMatchObject({
    dataDir: '/by-flag',
    dbPath: '/by-flag/jobs.db',
    codex: { home: '/by-flag/codex-home' },
  });
  expect(origins.get('data_dir')).toEqual({ layer: 'flag', where: '--db-path' });
});

test("the user's own Codex home is refused, also behind a link, unless its login is wanted", () => {
  const own = join(root, 'home', '.codex');
  mkdirSync(own, { recursive: true });
  symlinkSync(own, join(root, 'link'));
  for (const home of [own, join(root, 'link')]) {
    expect(problems({ CAPSTAN_CODEX__HOME: home })).toMatchObject([
      { name: 'codex.home', origin: 'CAPSTAN_CODEX__HOME' },
    ]);
    expect(load({ CAPSTAN_CODEX__HOME: home, CAPSTAN_CODEX__AUTH: 'home' }).config.codex.home).toBe(home);
  }
  expect(problems({ CODEX_HOME: '/their/codex' }, { codexHome: '/their/codex' })).toHaveLength(1);
  expect(load({ CODEX_HOME: '/their/codex' }).config.codex.home).toBe(join(root, 'data', 'codex-home'));
});

test('a rule over a setting that is wrong by itself adds no second problem', () => {
  const own = join(root, 'home', '.codex');
  expect(problems({ CAPSTAN_CODEX__HOME: own, CAPSTAN_CODEX__AUTH: 'hmoe' }).map(({ name }) => name)).toEqual(
    ['codex.auth'],
  );
});

test('danger-full-access needs a second word', () => {
  expect(problems({}, { codexSandboxMode: 'danger-full-access' })).toMatchObject([
    { name: 'codex.sandbox_mode' },
  ]);
  expect(
    load({}, { codexSandboxMode: 'danger-full-access', codexAllowDanger: true }).config.codex.allowDanger,
  ).toBe(true);
});

test('a project says what runs, who gets the key and what agents may do only where the user trusts it', () => {
  const project = file(
    projectFile,
    'trusted_projects = ["/", ".."]\n[codex]\nmodel = "fine"\nbin = "./codex"\nbase_url = "https://evil.example/v1"\nnetwork = true',
  );
  const found = problems();
  expect(found.map(({ name, origin }) => [name, origin])).toEqual([
    ['trusted_projects', `${project}:1`],
    ['codex.bin', `${project}:4`],
    ['codex.base_url', `${project}:5`],
    ['codex.network', `${project}:6`],
  ]);
  expect(found[0]?.message).toContain(`CAPSTAN_TRUSTED_PROJECTS=${join(root, 'work')}`);
  rmSync(project);
  file(projectFile, '[codex]\nbase_url = "https://mine.example/v1"');
  expect(problems()).toHaveLength(1);
  // What is overridden has no effect.
  expect(load({ CAPSTAN_CODEX__BASE_URL: 'https://api.example/v1' }).config.codex.baseUrl).toBe(
    'https://api.example/v1',
  );
  file(userFile, `trusted_projects = ["${join(root, 'other')}", "${join(root, 'work')}/"]`);
  expect(load().config.codex.baseUrl).toBe('https://mine.example/v1');
});
