import { expect, test } from 'vitest';
import { inputChanges, type TaskInputs } from './build-reason.ts';

const before: TaskInputs = {
  type: 'plantuml',
  tool: 'PlantUML 1',
  options: { format: '["svg"]' },
  files: { 'a.puml': '1', 'b.iuml': '2' },
  needs: {},
};

test('the same inputs give no reason', () => {
  expect(inputChanges(before, { ...before, files: { 'b.iuml': '2', 'a.puml': '1' } })).toEqual([]);
});

test('each difference is told in words', () => {
  const now = {
    ...before,
    tool: 'PlantUML 2',
    options: { format: '["png"]', scale: '2' },
    files: { 'a.puml': '9', 'c.iuml': '3' },
    needs: { x: '1' },
  };
  expect(inputChanges(before, now)).toEqual([
    'the tool changed: PlantUML 1 → PlantUML 2',
    'option format changed',
    'option scale is new',
    'a.puml changed',
    'b.iuml is gone',
    'c.iuml is new',
    'needed x is new',
  ]);
});

test('many files are counted', () => {
  const files = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`f${String(at)}`, 'x']));
  expect(inputChanges(before, { ...before, files: { ...before.files, ...files } }).at(-1)).toBe('6 more');
});
