import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  [' 10m ', 600_000],
  ['1.5h', 5_400_000],
  ['250', 250],
  [250, 250],
  ['30d', 2_592_000_000],
  ['1w', Number.NaN],
  ['-1s', Number.NaN],
  ['', Number.NaN],
  [true, Number.NaN],
])('%o is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([0, 1, 999, 1000, 90_000, 600_000, 7_200_000])('%i ms is spelled so that it reads back', (ms) => {
  expect(parseDuration(formatDuration(ms))).toBe(ms);
});
