import { expect, test } from 'vitest';
import { chatRequestSchema, type ChatMessage } from '../contract/chat-request.ts';
import { chatConversation } from './chat-conversation.ts';

const messages = (...list: readonly object[]): readonly ChatMessage[] =>
  chatRequestSchema.parse({ model: 'm', messages: list }).messages;

test('the last message of the user is the input, what is before it the history', () => {
  expect(
    chatConversation(
      messages(
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'a' }] },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'c' },
      ),
    ),
  ).toEqual({
    history: [
      { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'Be brief.' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'b' }] },
    ],
    input: [{ type: 'text', text: 'c', text_elements: [] }],
  });
});

const call = { id: 'c1', type: 'function', function: { name: 'get', arguments: '{}' } };

test('calls and their answers are items of their own; then nothing is said by the user', () => {
  expect(
    chatConversation(
      messages(
        { role: 'user', content: 'a' },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c1', content: 'answer' },
      ),
    ),
  ).toEqual({
    history: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }] },
      { type: 'function_call', call_id: 'c1', name: 'get', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'answer' },
    ],
    input: [],
  });
});

test.each([
  [
    'an answer without its call',
    [{ role: 'tool', tool_call_id: 'c1', content: 'x' }],
    'messages[0].tool_call_id',
  ],
  [
    'a call without its answer',
    [
      { role: 'assistant', tool_calls: [call] },
      { role: 'user', content: 'x' },
    ],
    'messages[0].tool_calls',
  ],
  ['a call at the end', [{ role: 'assistant', tool_calls: [call] }], 'messages[0].tool_calls'],
])('%s is refused', (_, list, param) => {
  expect(() => chatConversation(messages(...list))).toThrow(
    expect.objectContaining({ code: 'invalid_request_error', details: { param } }),
  );
});
