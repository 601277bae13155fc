import { expect, test } from 'vitest';
import { createFrameReader } from './output-frames.ts';
import { fc } from '../../../test/support/properties.ts';

function frame(kind: number, text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = kind;
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

test('both outputs come out whole and apart, however the bytes come in', () => {
  const written = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.string()), { maxLength: 20 });
  fc.assert(
    fc.property(written, fc.integer({ min: 1, max: 40 }), (frames, size) => {
      const bytes = Buffer.concat(frames.map(([kind, text]) => frame(kind, text)));
      const read = { out: [] as Buffer[], err: [] as Buffer[] };
      const reader = createFrameReader({
        onStdout: (chunk) => read.out.push(Buffer.from(chunk)),
        onStderr: (chunk) => read.err.push(Buffer.from(chunk)),
      });
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
      const said = (kind: number): string =>
        frames.flatMap(([each, text]) => (each === kind ? [text] : [])).join('');
      expect(Buffer.concat(read.out).toString()).toBe(said(1));
      expect(Buffer.concat(read.err).toString()).toBe(said(2));
    }),
  );
});
