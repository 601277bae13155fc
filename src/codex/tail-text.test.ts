import { expect, test } from 'vitest';
import { tailText } from './tail-text.ts';
import { fc } from '../../test/support/properties.ts';

test('a short text stays as it is', () => {
  expect(tailText('short', 5)).toBe('short');
});

test('a long one keeps its end, marked', () => {
  expect(tailText('0123456789', 4)).toBe('…6789');
});

test('is never longer than asked, and never cuts a character', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 100 }),
      fc.integer({ min: 4, max: 40 }),
      (text, max) => {
        const tail = tailText(text, max);
        const kept = tail === text ? tail : tail.slice(1);
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(max);
        expect(text.endsWith(kept)).toBe(true);
        expect(kept.isWellFormed()).toBe(true);
      },
    ),
  );
});
