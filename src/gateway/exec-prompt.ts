import type { JsonValue } from '../codex/protocol/generated/serde_json/JsonValue.ts';
import { textOf, type Conversation, type HistoryItem } from './turn.ts';

export interface ExecPrompt {
  /** What developer and system messages say. */
  readonly instructions: string | null;
  readonly prompt: string;
  /** The conversation's images, in order. */
  readonly images: readonly string[];
}

/** A conversation as `codex exec` takes one: a single text. What came before the last message is told as a transcript. */
export function execPrompt({ history, input }: Conversation): ExecPrompt {
  const isDeveloper = (item: HistoryItem): boolean => item['role'] === 'developer';
  const images: string[] = [];
  const told = (content: JsonValue | undefined): string => tell(content, images);
  const before = history
    // What a model thought is for itself alone.
    .filter((item) => !isDeveloper(item) && item['type'] !== 'reasoning')
    .map((item) => {
      if (item['type'] === 'function_call')
        return entry('assistant', `calls ${textOf(item, 'name')}(${textOf(item, 'arguments')})`);
      if (item['type'] === 'function_call_output') return entry('tool', told(item['output']));
      return entry(textOf(item, 'role'), told(item['content']));
    });
  const last = input
    .map((part) => {
      if (part.type === 'text') return part.text;
      return part.type === 'image' && 'url' in part
        ? told([{ type: 'input_image', image_url: part.url }])
        : '';
    })
    .join('\n');
  const instructions = history.filter(isDeveloper).map((item) => told(item['content']));
  return {
    instructions: instructions.length === 0 ? null : instructions.join('\n\n'),
    prompt:
      before.length === 0
        ? last
        : [
            'The conversation so far, oldest message first:',
            ...before,
            last === '' ? 'Write the next message of the assistant.' : `The user now says:\n\n${last}`,
          ].join('\n\n'),
    images,
  };
}

function entry(role: string, text: string): string {
  return `<message from="${role}">\n${text}\n</message>`;
}

function tell(content: JsonValue | undefined, images: string[]): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => {
      if (typeof part !== 'object' || part === null || Array.isArray(part)) return '';
      const { text, image_url: url } = part;
      if (typeof text === 'string') return text;
      if (typeof url !== 'string') return '';
      images.push(url);
      return `[image ${images.length}]`;
    })
    .join('\n');
}
