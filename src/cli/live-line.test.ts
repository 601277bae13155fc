import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { startLiveLine } from './live-line.ts';

/** What stands on a terminal after `text`: each line as the last that was written over it. */
function screen(text: string): string[] {
  return text.split('\n').map((line) => line.split('\r\u001B[2K').at(-1) ?? '');
}

function terminal(columns: number): PassThrough & { columns: number; all: () => string } {
  const out = new PassThrough();
  let text = '';
  out.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return Object.assign(out, { columns, all: () => text });
}

describe('a live line', () => {
  test('stands below what stays, and is gone at the end', () => {
    const out = terminal(40);
    {
      using live = startLiveLine(out, true, ({ width }) => `working in ${width}`);
      live.print('first');
      live.print('second');
      expect(screen(out.all())).toEqual(['first', 'second', expect.stringMatching(/^. working in 34$/)]);
    }
    expect(screen(out.all())).toEqual(['first', 'second', '']);
  });

  test('off a terminal there are plain lines alone', () => {
    const out = terminal(40);
    {
      using live = startLiveLine(out, false, () => 'working');
      live.print('first');
    }
    expect(out.all()).toBe('first\n');
  });
});
