import type { UserInput } from '../codex/protocol/generated/v2/UserInput.ts';
import type { JsonValue } from '../codex/protocol/generated/serde_json/JsonValue.ts';
import { developerMessage } from './tool-choice.ts';
import type { HistoryItem, TurnSpec } from './turn.ts';

/** The turn that follows one in which the model should have called a tool and said something instead; a thread with tools is never gone on with. */
export function insist(spec: TurnSpec, said: string): TurnSpec {
  const names = spec.tools.map(({ name }) => name).join(', ');
  const note = developerMessage(
    `That was no tool call, and nobody will read it. Call ${spec.tools.length === 1 ? 'the tool' : 'one of the tools'} ${names} now. Write no text.`,
  );
  const asked: HistoryItem[] =
    spec.input.length === 0
      ? []
      : [
          {
            type: 'message',
            role: 'user',
            content: spec.input.map(contentPart).filter((part) => part !== null),
          },
        ];
  const answer: HistoryItem[] =
    said === ''
      ? []
      : [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said }] }];
  return { ...spec, history: [...spec.history, ...asked, ...answer, note], input: [] };
}

function contentPart(part: UserInput): JsonValue | null {
  if (part.type === 'text') return { type: 'input_text', text: part.text };
  return part.type === 'image' && 'url' in part ? { type: 'input_image', image_url: part.url } : null;
}
