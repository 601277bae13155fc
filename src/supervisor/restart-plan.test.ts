import { expect, test } from 'vitest';
import { planRestart, recentRestarts, type RestartPolicy } from './restart-plan.ts';
import { fc } from '../../test/support/properties.ts';

const policy: RestartPolicy = {
  backoff: { initialMs: 500, maxMs: 5_000, jitter: 0.2 },
  restartMax: 25,
  windowMs: 600_000,
};

function delays(random: number): number[] {
  return [1, 2, 3, 4, 5, 6, 7].map(
    (consecutiveFailures) =>
      planRestart({ consecutiveFailures, restartsAtMs: [], nowMs: 0, random }, policy).delayMs,
  );
}

test('the first restart comes at once, the next ones after a doubling wait up to the longest', () => {
  expect(delays(0)).toEqual([0, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});

test('jitter shortens a wait by its share at most', () => {
  expect(delays(0.999_999)).toEqual([0, 400, 800, 1_600, 3_200, 4_000, 4_000]);
});

test('a full window holds the restart until its oldest one has left', () => {
  const restartsAtMs = Array.from({ length: 25 }, (_, index) => 1_000 + index);
  const plan = planRestart({ consecutiveFailures: 9, restartsAtMs, nowMs: 5_000, random: 0 }, policy);
  expect(plan).toEqual({ delayMs: 596_000, limited: true });
  const later = planRestart({ consecutiveFailures: 9, restartsAtMs, nowMs: 601_000, random: 0 }, policy);
  expect(later).toEqual({ delayMs: 5_000, limited: false });
});

test('a policy without restarts holds them for a window', () => {
  const history = { consecutiveFailures: 1, restartsAtMs: [], nowMs: 7, random: 0 };
  expect(planRestart(history, { ...policy, restartMax: 0 })).toEqual({ delayMs: 600_000, limited: true });
});

test('no window ever holds more restarts than allowed, whatever the lives last', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(200), { maxLength: 200 }),
      fc.integer({ min: 1, max: 5 }),
      (lives, restartMax) => {
        const small = {
          ...policy,
          restartMax,
          windowMs: 1_000,
          backoff: { ...policy.backoff, initialMs: 1 },
        };
        const restarts: number[] = [];
        let nowMs = 0;
        for (const lifeMs of lives) {
          nowMs += lifeMs;
          const history = { consecutiveFailures: 1, restartsAtMs: restarts, nowMs, random: 0 };
          nowMs += planRestart(history, small).delayMs;
          restarts.push(nowMs);
          expect(recentRestarts(restarts, nowMs, small.windowMs).length).toBeLessThanOrEqual(restartMax);
        }
      },
    ),
  );
});
