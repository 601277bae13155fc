import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refusedForMs, watchKeptLogin } from './kept-login.ts';

let codexHome = '';
let nowMs = 1_000_000;
let renewals = 0;
beforeEach(() => {
  [nowMs, renewals] = [1_000_000, 0];
  codexHome = mkdtempSync(path.join(tmpdir(), 'capstan-login-'));
});
afterEach(() => {
  rmSync(codexHome, { recursive: true });
});

function logIn(atSeconds: number): void {
  const file = path.join(codexHome, 'auth.json');
  writeFileSync(file, '{}');
  utimesSync(file, atSeconds, atSeconds);
}

const watch = () =>
  watchKeptLogin({
    codexHome,
    clock: () => nowMs,
    onChanged: () => {
      renewals += 1;
    },
  });
const refusal = expect.objectContaining({
  kind: 'auth',
  code: 'key_refused',
  hint: expect.stringContaining('codex login') as string,
});

test('what was refused is not offered again until there is another login', () => {
  logIn(1);
  const login = watch();
  expect(login().refused('no')).toEqual(refusal);
  expect(login).toThrow(refusal);
  logIn(2);
  login();
  expect(renewals).toBe(1);
});

test('a refusal is forgotten after a while: it may have been mended at the provider', () => {
  logIn(1);
  const login = watch();
  login().refused('no');
  nowMs += refusedForMs + 1;
  login();
  expect(renewals).toBe(1);
});

test('a login that changes without having been refused is left alone: Codex renews its own', () => {
  logIn(1);
  const login = watch();
  login();
  logIn(2);
  login();
  expect(renewals).toBe(0);
});

test('the refusal of a login that has been replaced meanwhile does not stop the new one', () => {
  logIn(1);
  const login = watch();
  const [first, slow] = [login(), login()];
  first.refused('no');
  logIn(2);
  login();
  slow.refused('no');
  expect(login).not.toThrow();
});
