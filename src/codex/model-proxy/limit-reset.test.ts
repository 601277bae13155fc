import { describe, expect, it } from 'vitest';
import { limitReset } from './limit-reset.ts';
import { fc } from '../../../test/support/properties.ts';

const now = 1_800_000_000_000;

describe('the reset of a limit', () => {
  it.each([
    ['seconds', { 'retry-after': '30' }, undefined, now + 30_000],
    ['fractions', { 'retry-after': '0.5' }, undefined, now + 500],
    ['milliseconds', { 'retry-after-ms': '1500' }, undefined, now + 1500],
    ['a date', { 'retry-after': new Date(now + 5000).toUTCString() }, undefined, now + 5000],
    ['a date long past', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, undefined, now],
    ['resets_at', {}, { resets_at: now / 1000 + 90 }, now + 90_000],
    ['resets_in_seconds', {}, { resets_in_seconds: 12 }, now + 12_000],
    ['a message', {}, { message: 'Please try again in 6m1.5s. Thanks' }, now + 361_500],
    ['a message in words', {}, { message: 'Try again in 2 minutes' }, now + 120_000],
    ['the latest of both', { 'retry-after': '5' }, { resets_in_seconds: 60 }, now + 60_000],
    [
      'span headers',
      { 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-reset-tokens': '6m0s' },
      {},
      now + 360_000,
    ],
    [
      'the exhausted one of them',
      {
        'x-ratelimit-reset-requests': '20ms',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-tokens': '6m0s',
        'x-ratelimit-remaining-tokens': '90',
      },
      {},
      now + 20,
    ],
    ['an epoch header in seconds', { 'x-ratelimit-reset': String(now / 1000 + 7) }, {}, now + 7000],
    ['an epoch header in milliseconds', { 'x-ratelimit-reset': String(now + 7000) }, {}, now + 7000],
    ['a span header in seconds', { 'x-ratelimit-reset': '7' }, {}, now + 7000],
    ['an ISO header', { 'x-ratelimit-reset': new Date(now + 7000).toISOString() }, {}, now + 7000],
    ['nothing', {}, undefined, null],
    ['nonsense', { 'retry-after': 'soon', 'x-ratelimit-reset': '' }, { resets_at: {}, message: 7 }, null],
    ['a time beyond reason', {}, { resets_in_seconds: 1e300 }, null],
  ])('is read from %s', (_name, headers, error, expected) => {
    expect(limitReset(headers, error, now)).toBe(expected);
  });

  it('is a time that can be shown, or null, whatever a provider sends', () => {
    const value = fc.oneof(fc.string(), fc.double(), fc.integer(), fc.constant(null));
    const error = fc.record({ resets_at: value, resets_in_seconds: value, message: value });
    fc.assert(
      fc.property(fc.string(), fc.string(), error, (retryAfter, reset, body) => {
        const found = limitReset({ 'retry-after': retryAfter, 'x-ratelimit-reset': reset }, body, now);
        if (found === null) return;
        expect(found).toBeGreaterThanOrEqual(now);
        expect(() => new Date(found).toISOString()).not.toThrow();
      }),
    );
  });
});
