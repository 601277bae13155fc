import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSecretFile } from './secret-file.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'capstan-secret-'));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

const read = (path: string, more: Readonly<Record<string, string>> = {}) =>
  readSecretFile({ KEY_FILE: path, ...more }, 'KEY', cwd);

test('a secret comes from the file that is named, without the line break at its end', () => {
  writeFileSync(join(cwd, 'key'), 'sk-1\n');
  expect(read('key')).toEqual({ value: 'sk-1', path: join(cwd, 'key') });
  expect(read(join(cwd, 'key'))).toEqual({ value: 'sk-1', path: join(cwd, 'key') });
  expect(read('key', { KEY: '' })?.value).toBe('sk-1');
});

test('no file named, or an empty name, is nothing said', () => {
  expect(readSecretFile({}, 'KEY', cwd)).toBeNull();
  expect(read(' ')).toBeNull();
});

test('what is said in both ways is refused, and no message has the secret', () => {
  writeFileSync(join(cwd, 'key'), 'sk-1');
  expect(() => read('key', { KEY: 'sk-2' })).toThrow(
    expect.objectContaining({ code: 'secret_said_twice', message: 'KEY and KEY_FILE are both set.' }),
  );
});

test('a file that cannot be used is named, with what is wrong', () => {
  mkdirSync(join(cwd, 'folder'));
  writeFileSync(join(cwd, 'empty'), ' \n');
  writeFileSync(join(cwd, 'big'), 'x'.repeat(70_000));
  const wrong = { none: 'is not there', folder: 'is not a file', empty: 'is empty', big: 'is larger' };
  for (const [name, why] of Object.entries(wrong)) {
    const message = expect.stringContaining(`${join(cwd, name)}, which KEY_FILE names, ${why}`) as string;
    expect(() => read(name)).toThrow(expect.objectContaining({ code: 'secret_file_unusable', message }));
  }
});
