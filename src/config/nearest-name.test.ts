import { expect, test } from 'vitest';
import { editDistance, nearestName } from './nearest-name.ts';

test.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['abc', 'acb', 1],
  ['abc', 'ab', 1],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
])('%o to %o is %i edits', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});

test('the nearest name is suggested, nothing where all are far', () => {
  expect(nearestName('codex.modle', ['codex.model', 'codex.home'])).toBe('codex.model');
  expect(nearestName('zzz', ['codex.model'])).toBeNull();
});
