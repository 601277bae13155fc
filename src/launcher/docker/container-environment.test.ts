import { expect, test } from 'vitest';
import { loadConfig } from '../../config/load-config.ts';
import { containerEnvironment } from './container-environment.ts';

const paths = { home: '/h', userConfigFile: '/none', systemConfigFile: '/none', userDataDir: '/h/data' };
const inside = { dataDir: '/in', dbPath: '/in/capstan.db', codexHome: '/in/codex-home' };

function environmentOf(environment: Record<string, string>, secretFiles: Record<string, string> = {}) {
  const { config } = loadConfig({ flags: {}, environment, cwd: '/nowhere', paths });
  return containerEnvironment({ config, inside, home: '/home/x', secretFiles });
}

test('without settings only the places are said', () => {
  expect(environmentOf({})).toEqual({
    HOME: '/home/x',
    CAPSTAN_DATA_DIR: '/in',
    CAPSTAN_DB_PATH: '/in/capstan.db',
    CAPSTAN_CODEX__HOME: '/in/codex-home',
  });
});

test('what the worker goes by is handed on and reads back as it was; what is of this machine is not', () => {
  const given = {
    CAPSTAN_CODEX__MODEL: 'm',
    CAPSTAN_CODEX__NETWORK: 'true',
    CAPSTAN_CODEX__TIMEOUT: '90s',
    CAPSTAN_WORKER__CONCURRENCY: '7',
    CAPSTAN_CODEX__BIN: '/usr/bin/codex',
    CAPSTAN_DATA_DIR: '/elsewhere',
    CAPSTAN_WORKERS__PULL: 'never',
    CAPSTAN_HTTP__API_KEY: 'secret',
    CAPSTAN_HTTP__PORT: '9999',
  };
  const said = environmentOf(given);
  expect(Object.keys(said).sort()).toEqual([
    'CAPSTAN_CODEX__HOME',
    'CAPSTAN_CODEX__MODEL',
    'CAPSTAN_CODEX__NETWORK',
    'CAPSTAN_CODEX__TIMEOUT',
    'CAPSTAN_DATA_DIR',
    'CAPSTAN_DB_PATH',
    'CAPSTAN_WORKER__CONCURRENCY',
    'HOME',
  ]);
  const { config } = loadConfig({ flags: {}, environment: said, cwd: '/nowhere', paths });
  expect(config.codex).toMatchObject({ model: 'm', network: true, timeoutMs: 90_000 });
  expect(config.worker.concurrency).toBe(7);
  expect(config.dataDir).toBe('/in');
});

test('of a key its file is said, never the key', () => {
  const said = environmentOf({ OPENAI_API_KEY: 'sk-1' }, { OPENAI_API_KEY: '/run/secrets/OPENAI_API_KEY' });
  expect(said).toMatchObject({ OPENAI_API_KEY_FILE: '/run/secrets/OPENAI_API_KEY' });
  expect(JSON.stringify(said)).not.toContain('sk-1');
});
