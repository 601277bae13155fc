import { expect, test } from 'vitest';
import type { TaskInputs } from '../../domain/build-reason.ts';
import { canonicalJson, taskKey } from './task-key.ts';
import { fc } from '../../../test/support/properties.ts';

const inputs: TaskInputs = {
  type: 't',
  tool: '1',
  options: { a: '1', b: '2' },
  files: { x: 'h' },
  needs: { n: 'd' },
};

test('the order in which things are named does not matter', () => {
  expect(taskKey({ ...inputs, options: { b: '2', a: '1' } })).toBe(taskKey(inputs));
  expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[1,{"c":2,"d":1}]}');
});

test.each([
  { type: 'u' },
  { tool: '2' },
  { options: { a: '1' } },
  { files: { x: 'i' } },
  { files: { y: 'h' } },
  { needs: { n: 'e' } },
])('%o makes another key', (change) => {
  expect(taskKey({ ...inputs, ...change })).not.toBe(taskKey(inputs));
});

test('no two different maps share a key, wherever their borders are', () => {
  const named = fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 });
  fc.assert(
    fc.property(named, named, (options, files) => {
      const same = canonicalJson(options) === canonicalJson(files);
      const [a, b] = [
        taskKey({ ...inputs, options, files }),
        taskKey({ ...inputs, options: files, files: options }),
      ];
      expect(a === b).toBe(same);
    }),
  );
});
