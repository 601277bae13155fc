import { describe, expect, it } from 'vitest';
import { EventStreamReader } from './event-stream.ts';
import { watchResponse, type ResponseEnding } from './response-watch.ts';
import { fc } from '../../../test/support/properties.ts';

function event(type: string, response: unknown, eol: string): string {
  return [`event: ${type}`, `data: ${JSON.stringify({ type, response })}`, '', ''].join(eol);
}

function chunks(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return points.slice(1).map((end, index) => bytes.subarray(points[index], end));
}

describe('watching a response', () => {
  it('sees every ending once, wherever the stream is cut into chunks', () => {
    const tokens = fc.nat(1_000_000);
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ input: tokens, cached: tokens, output: tokens, text: fc.string({ unit: 'grapheme' }) }),
          {
            maxLength: 5,
          },
        ),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.constantFrom('\n', '\r\n'),
        (responses, cuts, eol) => {
          const text = responses
            .map(({ input, cached, output, text: said }) =>
              [
                `: a comment${eol}${eol}`,
                event('response.output_text.delta', `${said} "response.completed"`, eol),
                event(
                  'response.completed',
                  {
                    output: [said],
                    usage: {
                      input_tokens: input,
                      input_tokens_details: { cached_tokens: cached },
                      output_tokens: output,
                    },
                  },
                  eol,
                ),
              ].join(''),
            )
            .join('');
          const seen: ResponseEnding[] = [];
          const watch = watchResponse((ending) => seen.push(ending));
          for (const chunk of chunks(Buffer.from(text), cuts)) watch.feed(chunk);
          watch.end();
          expect(seen.map((ending) => ending.usage)).toEqual(
            responses.map(({ input, cached, output }) => ({
              inputTokens: input,
              cachedInputTokens: cached,
              outputTokens: output,
            })),
          );
        },
      ),
    );
  });

  it.each([
    ['no usage', { type: 'response.completed', response: {} }, null],
    ['a null usage', { type: 'response.incomplete', response: { usage: null } }, null],
    [
      'odd numbers',
      { type: 'response.completed', response: { usage: { input_tokens: -1, output_tokens: '7' } } },
      { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 },
    ],
  ])('takes %s', (_name, data, usage) => {
    const seen: ResponseEnding[] = [];
    watchResponse((ending) => seen.push(ending)).feed(Buffer.from(`data:${JSON.stringify(data)}\n\n`));
    expect(seen).toMatchObject([{ usage }]);
  });

  it('counts an ending whose stream stops before the empty line', () => {
    const seen: ResponseEnding[] = [];
    const watch = watchResponse((ending) => seen.push(ending));
    watch.feed(Buffer.from('data: {"type":"response.completed"}'));
    expect(seen).toHaveLength(0);
    watch.end();
    expect(seen).toHaveLength(1);
  });

  it('never throws on a foreign stream', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (parts) => {
        const watch = watchResponse(() => undefined);
        for (const part of parts) watch.feed(Buffer.from(part));
        watch.feed(Buffer.from('\n\ndata: response.completed {\n\n'));
        watch.end();
      }),
    );
  });
});

describe('reading an event stream', () => {
  it('passes over an event beyond the limit and reads on', () => {
    const seen: string[] = [];
    const reader = new EventStreamReader(100, (data) => seen.push(data.toString()));
    for (let n = 0; n < 50; n += 1)
      reader.feed(Buffer.from(n === 0 ? `data: ${'x'.repeat(60)}` : 'x'.repeat(60)));
    reader.feed(Buffer.from('\n\ndata: small\n\n'));
    reader.feed(Buffer.from(`data: a\n${'data: bbbbbbbbbb\n'.repeat(20)}\ndata: next\n\n`));
    expect(seen.at(0)).toBe(' small');
    expect(seen.at(-1)).toBe(' next');
    expect(seen.join('').length).toBeLessThan(400);
  });
});
