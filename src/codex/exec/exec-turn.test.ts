import { expect, test } from 'vitest';
import type { JobEventBody } from '../../contract/event.ts';
import { ExecTurn } from './exec-turn.ts';

function read(...lines: readonly unknown[]): { turn: ExecTurn; events: JobEventBody[] } {
  const events: JobEventBody[] = [];
  const turn = new ExecTurn({ workspaceDir: '/w', onEvent: (event) => events.push(event) });
  for (const line of lines) turn.onLine(typeof line === 'string' ? line : JSON.stringify(line));
  return { turn, events };
}

test('a turn that completes has its last message and usage', async () => {
  const { turn, events } = read(
    { type: 'thread.started', thread_id: 't' },
    { type: 'turn.started' },
    { type: 'item.completed', item: { id: 'i0', type: 'agent_message', text: 'first' } },
    { type: 'item.completed', item: { id: 'i1', type: 'agent_message', text: 'last' } },
    { type: 'turn.completed', usage: { input_tokens: 3, cached_input_tokens: 2, output_tokens: 1 } },
  );
  expect(await turn.threadId).toBe('t');
  expect(turn).toMatchObject({ status: 'completed', finalMessage: 'last', error: null });
  expect(turn.usage).toEqual({ inputTokens: 3, cachedInputTokens: 2, outputTokens: 1 });
  expect(events.map(({ type }) => type)).toEqual(['agent.message', 'agent.message', 'agent.usage']);
});

test('turn.failed says why', () => {
  const { turn } = read({ type: 'turn.failed', error: { message: 'unexpected status 401' } });
  expect(turn).toMatchObject({ status: 'failed', error: { message: 'unexpected status 401', info: null } });
});

test('commands, changes and tools become events', () => {
  const { events } = read(
    {
      type: 'item.started',
      item: {
        id: 'c',
        type: 'command_execution',
        command: 'ls',
        aggregated_output: '',
        exit_code: null,
        status: 'in_progress',
      },
    },
    {
      type: 'item.completed',
      item: {
        id: 'f',
        type: 'file_change',
        changes: [{ path: '/w/a.txt', kind: 'add' }],
        status: 'completed',
      },
    },
    { type: 'item.completed', item: { id: 'w', type: 'web_search', query: 'x' } },
  );
  expect(events).toEqual([
    { type: 'agent.command', itemId: 'c', command: 'ls', status: 'running', exitCode: null, output: '' },
    {
      type: 'agent.file_change',
      itemId: 'f',
      status: 'completed',
      files: [{ path: 'a.txt', change: 'created' }],
    },
    { type: 'agent.tool', itemId: 'w', name: 'web_search', status: 'completed' },
  ]);
});

test('what is no event of its own is left out', () => {
  const { events, turn } = read(
    'not json',
    '[]',
    { type: 'something.new', x: 1 },
    { type: 'item.completed' },
  );
  expect(events).toEqual([]);
  expect(turn.status).toBeNull();
});
