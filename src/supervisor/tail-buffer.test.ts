import { expect, test } from 'vitest';
import { createTailBuffer } from './tail-buffer.ts';
import { fc } from '../../test/support/properties.ts';

test('it holds the last bytes of what was written, whatever the chunks', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 30 })), (chunks) => {
      const tail = createTailBuffer(16);
      for (const chunk of chunks) tail.push(Buffer.from(chunk));
      expect(tail.text()).toBe(chunks.join('').slice(-16));
    }),
  );
});

test('cleared, it is empty', () => {
  const tail = createTailBuffer(4);
  tail.push(Buffer.from('abcdef'));
  tail.clear();
  expect(tail.text()).toBe('');
});
