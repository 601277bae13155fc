import { parse } from 'smol-toml';
import { expect, test } from 'vitest';
import { toToml } from './toml.ts';
import { fc } from '../../test/support/properties.ts';

const text = fc.string({ unit: 'grapheme', minLength: 0, maxLength: 20 });
const leaf = fc.oneof(text, fc.boolean(), fc.integer({ min: -(2 ** 31), max: 2 ** 31 }));
const key = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((name) => name !== '__proto__');
const value = fc.oneof(leaf, fc.array(leaf), fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf))));

test('what is written is read back the same', () => {
  fc.assert(
    fc.property(fc.dictionary(key, value), (values) => {
      expect(JSON.stringify(parse(toToml(values)))).toBe(JSON.stringify(values));
    }),
  );
});

test('control characters, quotes and dots in a key survive', () => {
  const values = { 'a.b "c"': 'line\n\u0000\u007f\\"' };
  expect(parse(toToml(values))).toEqual(values);
});

test('null is refused', () => {
  expect(() => toToml({ a: null })).toThrow(TypeError);
});
