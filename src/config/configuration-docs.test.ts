import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

function generate(...args: readonly string[]): number | null {
  const script = join(root, 'scripts', 'generate-configuration-docs.ts');
  return spawnSync(process.execPath, [script, ...args], { stdio: 'ignore', timeout: 25_000 }).status;
}

test('docs/configuration.md says what the settings are', () => {
  expect(generate('--check')).toBe(0);
});

test('the check fails on a file that says something else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-docs-'));
  try {
    const file = join(folder, 'configuration.md');
    expect(generate(file)).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('CAPSTAN_CODEX__BASE_URL');
    appendFileSync(file, '\nnot generated\n');
    expect(generate('--check', file)).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
