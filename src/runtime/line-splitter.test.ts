import { describe, expect, test, vi } from 'vitest';
import { createLineSplitter } from './line-splitter.ts';
import { fc } from '../../test/support/properties.ts';

interface Split {
  readonly lines: string[];
  readonly overlong: string[];
}

function split(chunks: Iterable<Uint8Array>, maxLineBytes?: number): Split {
  const seen: Split = { lines: [], overlong: [] };
  const splitter = createLineSplitter({
    onLine: (line) => seen.lines.push(line),
    onOverlong: (head) => seen.overlong.push(head),
    ...(maxLineBytes === undefined ? {} : { maxLineBytes }),
  });
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return seen;
}

function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Uint8Array> {
  let start = 0;
  for (let turn = 0; start < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', '\u2028', '\u2029', '\r', '\v', '\f', '\u0085', 'é', '😀') }),
);
const line = text.map((value) => value.replaceAll('\n', ''));
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe('line splitter', () => {
  test('gives back the lines that were joined, whatever the chunks', () => {
    fc.assert(
      fc.property(fc.array(line), sizes, (lines, chunkSizes) => {
        const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
        expect(split(cut(bytes, chunkSizes))).toEqual({ lines, overlong: [] });
      }),
    );
  });

  test('gives the unfinished last line at the end, and none after a final newline', () => {
    expect(split([Buffer.from('a\nb')]).lines).toEqual(['a', 'b']);
    expect(split([Buffer.from('a\n')]).lines).toEqual(['a']);
    expect(split([Buffer.from('\n\n')]).lines).toEqual(['', '']);
  });

  test('a line over the limit is reported once and skipped to its newline, the others are untouched', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 20 })),
        sizes,
        (raw, chunkSizes) => {
          const lines = raw.map((each) => each.replaceAll('\n', ''));
          const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
          expect(split(cut(bytes, chunkSizes), 8)).toEqual({
            lines: lines.filter((each) => each.length <= 8),
            overlong: lines.filter((each) => each.length > 8).map((each) => each.slice(0, 8)),
          });
        },
      ),
    );
  });

  test('an over-long line is reported before its newline comes', () => {
    const overlong: string[] = [];
    const splitter = createLineSplitter({
      onLine: () => undefined,
      onOverlong: (head) => overlong.push(head),
      maxLineBytes: 4,
    });
    splitter.push(Buffer.from('abcdef'));
    expect(overlong).toEqual(['abcd']);
  });

  test('a 10 MB line in chunks of 100 bytes comes out whole, each byte copied a bounded number of times', () => {
    const bytes = Buffer.alloc(10 * 1024 * 1024, 'x');
    bytes[bytes.length - 1] = 0x0a;
    const copy = vi.spyOn(Buffer.prototype as Buffer, 'copy');
    const { lines } = split(cut(bytes, [100]));
    const copied = copy.mock.results.reduce((sum, result) => sum + Number(result.value), 0);
    copy.mockRestore();
    expect(lines.map((each) => each.length)).toEqual([bytes.length - 1]);
    expect(copied).toBeLessThan(4 * bytes.length);
  });
});
