import { expect, test } from 'vitest';
import { TurnUsage } from './turn-usage.ts';

const tokens = (inputTokens: number, cachedInputTokens: number, outputTokens: number) => ({
  inputTokens,
  cachedInputTokens,
  outputTokens,
});

test('counts this turn alone in a thread that has used some before', () => {
  const usage = new TurnUsage();
  usage.update({ total: tokens(1100, 500, 60), last: tokens(100, 50, 10) });
  usage.update({ total: tokens(1300, 600, 80), last: tokens(200, 100, 20) });
  expect(usage.value).toEqual(tokens(300, 150, 30));
});

test('the same numbers again are no change', () => {
  const usage = new TurnUsage();
  const said = { total: tokens(100, 50, 10), last: tokens(100, 50, 10) };
  expect(usage.update(said)).toEqual(tokens(100, 50, 10));
  expect(usage.update(said)).toBeNull();
});

test('is zero before anything was said', () => {
  expect(new TurnUsage().value).toEqual(tokens(0, 0, 0));
});
