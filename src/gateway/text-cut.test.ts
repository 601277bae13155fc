import { expect, test } from 'vitest';
import { charsPerToken, TextCut } from './text-cut.ts';
import { fc } from '../../test/support/properties.ts';

function cutIn(pieces: readonly string[], stop: readonly string[], maxTokens: number | null = null) {
  const cut = new TextCut({ stop, maxTokens });
  const shown = [...pieces.map((piece) => cut.push(piece)), cut.end()];
  return { shown, text: shown.join(''), cut: cut.cut };
}

test('without limits each piece passes at once', () => {
  expect(cutIn(['a', 'b'], [])).toEqual({ shown: ['a', 'b', ''], text: 'ab', cut: null });
});

test('a stop string is found across pieces, and nothing of it or after it is shown', () => {
  expect(cutIn(['one S', 'TO', 'P two', 'three'], ['STOP'])).toEqual({
    shown: ['one ', '', '', '', ''],
    text: 'one ',
    cut: 'stop',
  });
});

test('what only began like a stop string comes through, at the latest at the end', () => {
  expect(cutIn(['one ST', 'ART', ' ST'], ['STOP'])).toEqual({
    shown: ['one ', 'START', ' ', 'ST'],
    text: 'one START ST',
    cut: null,
  });
});

test('the earliest of several stop strings counts', () => {
  expect(cutIn(['a second first'], ['first', 'second']).text).toBe('a ');
});

test('of stop strings that overlap the one counts that is complete first, however the text is cut into pieces', () => {
  expect(cutIn(['aba'], ['b', 'aba']).text).toBe('a');
  expect(cutIn(['ab', 'a'], ['b', 'aba']).text).toBe('a');
  expect(cutIn(['xab'], ['b', 'ab']).text).toBe('x');
  expect(cutIn(['xa', 'b'], ['b', 'ab']).text).toBe('x');
});

test('the token limit cuts, never through a surrogate pair', () => {
  expect(cutIn(['abcdefgh', 'i'], [], 2)).toMatchObject({ text: 'abcdefgh', cut: 'length' });
  expect(cutIn(['abc🦫'], [], 1).text).toBe('abc');
});

test('text that fits to the last character is whole', () => {
  expect(cutIn(['x'.repeat(charsPerToken)], [], 1).cut).toBeNull();
});

test('however the text is cut into pieces, the result is the same', () => {
  const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c') }), { maxLength: 20 });
  const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 }), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(pieces, stops, (parts, stop) => {
      const whole = parts.join('');
      const begun = Array.from({ length: whole.length + 1 }, (_, length) => whole.slice(0, length));
      const stopped = begun.find((text) => stop.some((one) => text.endsWith(one)));
      const starts = stop.filter((one) => stopped?.endsWith(one)).map((one) => -one.length);
      const expected = stopped === undefined ? whole : stopped.slice(0, Math.min(...starts));
      expect(cutIn(parts, stop).text).toBe(expected);
    }),
  );
});
