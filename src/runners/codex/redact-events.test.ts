import { expect, test } from 'vitest';
import type { JobEventBody } from '../../contract/event.ts';
import { createEventRedactor } from './redact-events.ts';

const key = 'sk-proj-abcdefghijklmnopqrstuvwxyz012345';

test('a key that a command prints is taken out of the event', () => {
  const redact = createEventRedactor();
  const event: JobEventBody = {
    type: 'agent.command',
    itemId: 'c1',
    command: `echo ${key}`,
    status: 'completed',
    exitCode: 0,
    output: `OPENAI_API_KEY=${key}\n`,
  };
  const redacted = redact(event);
  expect(JSON.stringify(redacted)).not.toContain(key);
  expect(redacted).toMatchObject({ type: 'agent.command', itemId: 'c1', status: 'completed', exitCode: 0 });
});

test('a key that lies across the pieces of a message gets out in none of them', () => {
  const redact = createEventRedactor();
  const said = [`The key is ${key.slice(0, 15)}`, `${key.slice(15)} and `, 'that was it. ']
    .map((delta) => redact({ type: 'agent.message.delta', itemId: 'm1', delta }))
    .map((event) => (event?.type === 'agent.message.delta' ? event.delta : ''))
    .join('');
  expect(said).toContain('The key is');
  expect(said).toContain('and that was');
  expect(said).not.toContain(key.slice(0, 15));
  expect(said).not.toContain(key.slice(15));
});

test('what holds no secret passes unchanged', () => {
  const event: JobEventBody = {
    type: 'agent.file_change',
    itemId: 'f',
    status: 'completed',
    files: [{ path: 'a', change: 'created' }],
  };
  expect(createEventRedactor()(event)).toEqual(event);
});
