import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readEnvironment } from './environment.ts';
import { findKeyFiles, loadProfile } from './load-profile.ts';

const name = 'OPENAI_API_KEY';
let cwd = '';
let before: string | undefined;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'capstan-env-'));
  before = process.env[name];
  Reflect.deleteProperty(process.env, name);
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
  Reflect.deleteProperty(process.env, name);
  if (before !== undefined) process.env[name] = before;
});

function key(): string | undefined {
  return loadProfile(readEnvironment(cwd).environment).openaiApiKey?.reveal();
}

test('the key comes from the environment, else from .env, else there is none', () => {
  expect(key()).toBeUndefined();
  writeFileSync(join(cwd, '.env'), 'OPENAI_API_KEY="from-file"\n');
  expect(key()).toBe('from-file');
  process.env[name] = ' ';
  expect(key()).toBe('from-file');
  process.env[name] = 'from-environment';
  expect(key()).toBe('from-environment');
});

test('a file that OPENAI_API_KEY_FILE names goes before .env, and no agent may read it', () => {
  writeFileSync(join(cwd, '.env'), 'OPENAI_API_KEY=from-env-file\n');
  writeFileSync(join(cwd, 'key'), 'from-key-file\n');
  process.env[`${name}_FILE`] = 'key';
  try {
    const read = readEnvironment(cwd);
    expect(loadProfile(read.environment)).toMatchObject({ openaiApiKeyFile: join(cwd, 'key') });
    expect(key()).toBe('from-key-file');
    expect(findKeyFiles(read, cwd)).toEqual(expect.arrayContaining([join(cwd, 'key'), join(cwd, '.env')]));
    const given = readEnvironment(cwd, { [name]: 'handed' });
    expect(loadProfile(given.environment).openaiApiKey?.reveal()).toBe('handed');
    expect(findKeyFiles(given, cwd)).toContain(join(cwd, 'key'));
  } finally {
    Reflect.deleteProperty(process.env, `${name}_FILE`);
  }
});

test('.env gives no settings', () => {
  writeFileSync(join(cwd, '.env'), 'CAPSTAN_CODEX__BIN=/evil\nPATH=/evil\n');
  const { environment, keyFiles } = readEnvironment(cwd);
  expect(environment['CAPSTAN_CODEX__BIN']).toBeUndefined();
  expect(environment['PATH']).toBe(process.env['PATH']);
  expect(keyFiles).toEqual([]);
});

test('a folder named .env is none of ours', () => {
  mkdirSync(join(cwd, '.env'));
  expect(key()).toBeUndefined();
});

test('a profile does not print its key', () => {
  const profile = loadProfile({ [name]: 'very-secret' });
  const texts = [
    inspect(profile, { showHidden: true }),
    JSON.stringify(profile),
    String(profile.openaiApiKey),
  ];
  for (const text of texts) {
    expect(text).toContain('[secret]');
    expect(text).not.toContain('very-secret');
  }
});
