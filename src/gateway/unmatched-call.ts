import { badRequest } from './bad-request.ts';
import { textOf, type HistoryItem } from './turn.ts';

/** The calls of these items that have no answer among them. */
export function openCalls(items: readonly HistoryItem[]): readonly HistoryItem[] {
  const answered = new Set(items.filter(isAnswer).map((item) => textOf(item, 'call_id')));
  return items.filter((item) => isCall(item) && !answered.has(textOf(item, 'call_id')));
}

/**
 * Throws `invalid_request_error` for an answer to no call, or a call without an answer: Codex drops the one without a word, and answers the
 * other itself.
 */
export function refuseUnmatchedCalls(items: readonly HistoryItem[]): void {
  const called = new Set<string>();
  for (const item of items) {
    const id = textOf(item, 'call_id');
    if (isCall(item)) called.add(id);
    if (isAnswer(item) && !called.has(id))
      throw badRequest(`'${id}' is answered, and nothing before it has called it.`, 'input');
  }
  const [open] = openCalls(items);
  if (open !== undefined)
    throw badRequest(
      `The call '${textOf(open, 'call_id')}' of '${textOf(open, 'name')}' has no answer.`,
      'input',
    );
}

function isCall(item: HistoryItem): boolean {
  return item['type'] === 'function_call';
}

function isAnswer(item: HistoryItem): boolean {
  return item['type'] === 'function_call_output';
}
