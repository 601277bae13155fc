import type { JsonValue } from '../codex/protocol/generated/serde_json/JsonValue.ts';
import type { UserInput } from '../codex/protocol/generated/v2/UserInput.ts';
import type { ResponseInputItem, ResponseRequest } from '../contract/response-request.ts';
import type { Conversation, HistoryItem } from './turn.ts';

type Message = Extract<ResponseInputItem, { type: 'message' }>;

/** The input of a Responses request as a thread's history and the input of its next turn; see `chatConversation`. */
export function responseConversation(input: ResponseRequest['input']): Conversation {
  if (typeof input === 'string')
    return { history: [], input: [{ type: 'text', text: input, text_elements: [] }] };
  const last = input.at(-1);
  if (last?.type !== 'message' || last.role !== 'user')
    return { history: input.flatMap(historyItem), input: [] };
  return {
    history: input.slice(0, -1).flatMap(historyItem),
    input: parts(last.content).map(asUserInput),
  };
}

/** What the client sent, as items; what a later request's history is made of where the thread is gone. */
export function inputItems(input: ResponseRequest['input']): readonly HistoryItem[] {
  return typeof input === 'string' ? [userMessage(input)] : input.flatMap(historyItem);
}

function userMessage(text: string): HistoryItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

function historyItem(item: ResponseInputItem): readonly HistoryItem[] {
  switch (item.type) {
    case 'reasoning':
      return [];
    case 'function_call':
      return [{ type: item.type, call_id: item.call_id, name: item.name, arguments: item.arguments }];
    case 'function_call_output': {
      const output: JsonValue =
        typeof item.output === 'string' ? item.output : item.output.map((part) => contentPart(part, 'user'));
      return [{ type: item.type, call_id: item.call_id, output }];
    }
    case 'message': {
      const role = item.role === 'system' ? 'developer' : item.role;
      return [{ type: 'message', role, content: parts(item.content).map((part) => contentPart(part, role)) }];
    }
  }
}

type Part = Exclude<Message['content'], string>[number];

function parts(content: Message['content']): readonly Part[] {
  return typeof content === 'string' ? [{ type: 'input_text', text: content }] : content;
}

function contentPart(part: Part, role: string): JsonValue {
  if (part.type === 'input_image') {
    return {
      type: part.type,
      image_url: part.image_url,
      ...(part.detail === undefined ? {} : { detail: part.detail }),
    };
  }
  const text = part.type === 'refusal' ? part.refusal : part.text;
  return { type: role === 'assistant' ? 'output_text' : 'input_text', text };
}

function asUserInput(part: Part): UserInput {
  if (part.type !== 'input_image')
    return {
      type: 'text',
      text: part.type === 'refusal' ? part.refusal : part.text,
      text_elements: [],
    };
  return {
    type: 'image',
    url: part.image_url,
    ...(part.detail === undefined ? {} : { detail: part.detail }),
  };
}
