import { expect, test } from 'vitest';
import type { ChannelFault } from './channel.ts';
import { createFrameReader } from './frame-reader.ts';

function read(bytes: Buffer, maxMessageBytes = 1024): { messages: unknown[]; faults: ChannelFault[] } {
  const messages: unknown[] = [];
  const faults: ChannelFault[] = [];
  const reader = createFrameReader({
    onMessage: (value) => messages.push(value),
    onFault: (fault) => faults.push(fault),
    maxMessageBytes,
  });
  reader.push(bytes);
  reader.end();
  return { messages, faults };
}

test('each line is one JSON value, and line separators inside strings do not end it', () => {
  const value = { text: 'one\u2028two\u2029three\u0085four' };
  const { messages, faults } = read(Buffer.from(`${JSON.stringify(value)}\r\n\n[1]\n`));
  expect(messages).toEqual([value, [1]]);
  expect(faults).toEqual([]);
});

test('rubbish is reported by its head, and what follows is read', () => {
  const { messages, faults } = read(Buffer.from(`${'x'.repeat(500)}\n{"half":\n1\n`));
  expect(messages).toEqual([1]);
  expect(faults).toEqual([
    { kind: 'not_json', head: 'x'.repeat(200) },
    { kind: 'not_json', head: '{"half":' },
  ]);
});

test('a message over the limit is reported, and what follows is read', () => {
  const { messages, faults } = read(Buffer.from(`"${'x'.repeat(64)}"\n2\n`), 16);
  expect(messages).toEqual([2]);
  expect(faults).toEqual([{ kind: 'too_long', head: `"${'x'.repeat(15)}` }]);
});
