import type { DynamicToolCallOutputContentItem } from '../codex/protocol/generated/v2/DynamicToolCallOutputContentItem.ts';
import type { DynamicToolCallResponse } from '../codex/protocol/generated/v2/DynamicToolCallResponse.ts';
import type { JsonValue } from '../codex/protocol/generated/serde_json/JsonValue.ts';
import type { HistoryItem } from './turn.ts';

/** A `function_call_output` as Codex is given the answer of a tool; null where that cannot say all of it. */
export function toolAnswer(item: HistoryItem): DynamicToolCallResponse | null {
  if (item['type'] !== 'function_call_output') return null;
  const { output } = item;
  if (typeof output === 'string')
    return { contentItems: [{ type: 'inputText', text: output }], success: true };
  if (!Array.isArray(output)) return null;
  const contentItems = output.map(contentItem).filter((part) => part !== null);
  return contentItems.length === output.length ? { contentItems, success: true } : null;
}

function contentItem(part: JsonValue): DynamicToolCallOutputContentItem | null {
  const { type, text, image_url: imageUrl, detail } = part as HistoryItem;
  if (type === 'input_text' && typeof text === 'string') return { type: 'inputText', text };
  // Codex has no word for an image's detail here.
  if (typeof imageUrl !== 'string' || detail !== undefined) return null;
  return { type: 'inputImage', imageUrl };
}
