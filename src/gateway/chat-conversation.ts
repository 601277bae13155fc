import type { ChatMessage } from '../contract/chat-request.ts';
import type { JsonValue } from '../codex/protocol/generated/serde_json/JsonValue.ts';
import type { UserInput } from '../codex/protocol/generated/v2/UserInput.ts';
import { badRequest } from './bad-request.ts';
import type { Conversation, HistoryItem } from './turn.ts';

type UserContent = Extract<ChatMessage, { role: 'user' }>['content'];
type Texts = Extract<ChatMessage, { role: 'system' | 'developer' }>['content'];

/**
 * A chat's messages as a thread's history and the input of its next turn, each role in its place: `system` becomes `developer`, the
 * only such role that Codex keeps. Throws `invalid_request_error` where a tool's answer belongs to no call.
 */
export function chatConversation(messages: readonly ChatMessage[]): Conversation {
  checkToolResults(messages);
  const last = messages.at(-1);
  if (last?.role !== 'user') return { history: messages.flatMap(items), input: [] };
  return { history: messages.slice(0, -1).flatMap(items), input: userInput(last.content) };
}

function items(message: ChatMessage): readonly HistoryItem[] {
  switch (message.role) {
    case 'system':
    case 'developer':
      return [item('developer', inputTexts(message.content))];
    case 'user':
      return [item('user', userContent(message.content))];
    case 'tool':
      return [
        {
          type: 'function_call_output',
          call_id: message.tool_call_id,
          output: plainText(message.content),
        },
      ];
    case 'assistant': {
      const text = assistantText(message);
      const calls = (message.tool_calls ?? []).map((call) => ({
        type: 'function_call',
        call_id: call.id,
        name: call.function.name,
        arguments: call.function.arguments,
      }));
      return [...(text === '' ? [] : [item('assistant', [{ type: 'output_text', text }])]), ...calls];
    }
  }
}

function item(role: string, content: JsonValue[]): HistoryItem {
  return { type: 'message', role, content };
}

function assistantText({ content, refusal }: Extract<ChatMessage, { role: 'assistant' }>): string {
  if (content === undefined) return refusal ?? '';
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('');
}

function plainText(content: Texts): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('\n');
}

function inputTexts(content: Texts): JsonValue[] {
  if (typeof content === 'string') return [{ type: 'input_text', text: content }];
  return content.map(({ text }) => ({ type: 'input_text', text }));
}

function userContent(content: UserContent): JsonValue[] {
  if (typeof content === 'string') return [{ type: 'input_text', text: content }];
  return content.map((part) =>
    part.type === 'text'
      ? { type: 'input_text', text: part.text }
      : {
          type: 'input_image',
          image_url: part.image_url.url,
          ...(part.image_url.detail === undefined ? {} : { detail: part.image_url.detail }),
        },
  );
}

function userInput(content: UserContent): readonly UserInput[] {
  if (typeof content === 'string') return [{ type: 'text', text: content, text_elements: [] }];
  return content.map((part): UserInput =>
    part.type === 'text'
      ? { type: 'text', text: part.text, text_elements: [] }
      : {
          type: 'image',
          url: part.image_url.url,
          ...(part.image_url.detail === undefined ? {} : { detail: part.image_url.detail }),
        },
  );
}

/** An answer without its call, or a call without its answer, is what the model's provider would refuse. */
function checkToolResults(messages: readonly ChatMessage[]): void {
  const open = new Map<string, number>();
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id)) {
        throw badRequest(
          `messages[${index}] answers '${message.tool_call_id}', which no assistant message before it has called.`,
          `messages[${index}].tool_call_id`,
        );
      }
      continue;
    }
    const [[id, at] = []] = open;
    if (id !== undefined && at !== undefined) {
      throw badRequest(
        `The tool call '${id}' of messages[${at}] has no answer.`,
        `messages[${at}].tool_calls`,
      );
    }
    if (message.role === 'assistant') for (const call of message.tool_calls ?? []) open.set(call.id, index);
  }
  const [[id, at] = []] = open;
  if (id !== undefined && at !== undefined) {
    throw badRequest(`The tool call '${id}' of messages[${at}] has no answer.`, `messages[${at}].tool_calls`);
  }
}
