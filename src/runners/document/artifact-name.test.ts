import { expect, test } from 'vitest';
import { createArtifactNames } from './artifact-name.ts';

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

test.each([
  ['login.svg', 'login.svg'],
  ['sub/login.svg', 'sub__login.svg'],
  ['Übersicht der Klassen.png', 'Ubersicht-der-Klassen.png'],
  ['図.svg', 'svg'],
  ['../../etc/passwd', 'etc__passwd'],
])('%s is stored as %s', (path, name) => {
  expect(createArtifactNames()(path)).toBe(name);
});

test('no two outputs share a name, not even where folders ignore case', () => {
  const nameOf = createArtifactNames();
  expect(['a b.svg', 'a-b.svg', 'A-B.svg'].map(nameOf)).toEqual(['a-b.svg', 'a-b-2.svg', 'A-B-3.svg']);
});

test('a long path gives a name that is taken, with its extension', () => {
  const name = createArtifactNames()(`${'long'.repeat(100)}.svg`);
  expect(name).toMatch(namePattern);
  expect(name.endsWith('.svg')).toBe(true);
});
