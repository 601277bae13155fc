import { expect, test } from 'vitest';
import { formatLine } from './format-line.ts';

test('an error that is none takes no line of its own', () => {
  const line = { time: '2026-01-02T03:04:05.678Z', level: 'info', msg: 'Ended', code: 0, error: null };
  expect(formatLine(line)).toBe('03:04:05 INFO  Ended code=0\n');
});
