import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LimitedLines, type LeftOut } from './limited-lines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function listen() {
  const seen: (string | LeftOut)[] = [];
  const push = (said: string | LeftOut): void => void seen.push(said);
  return { seen, lines: new LimitedLines({ max: 2, windowMs: 1000, onLine: push, onLeftOut: push }) };
}

test('within a window so many lines pass; the others are counted and told when it is over', () => {
  const { seen, lines } = listen();
  for (const line of ['a', 'b', 'c', 'dé']) lines.push(line);
  expect(seen).toEqual(['a', 'b']);
  vi.advanceTimersByTime(1000);
  expect(seen).toEqual(['a', 'b', { lines: 2, bytes: 4 }]);
  lines.push('e');
  vi.advanceTimersByTime(1000);
  expect(seen).toEqual(['a', 'b', { lines: 2, bytes: 4 }, 'e']);
});

test('the end of the child tells what is still untold', () => {
  const { seen, lines } = listen();
  for (const line of ['a', 'b', 'c']) lines.push(line);
  lines[Symbol.dispose]();
  expect(seen).toEqual(['a', 'b', { lines: 1, bytes: 1 }]);
});
