import type { ModelRequest } from './model-request.ts';
import type { Conversation, Pattern, Scenario } from './scenario.ts';

export interface Place {
  readonly conversation: Conversation;
  /** The last turn that the model has already sent in this conversation; -1 before the first. */
  readonly lastTurn: number;
}

/**
 * Which conversation a request belongs to and how far it has come, from the request alone: a retry, a resumed thread
 * and a thread beside it all find their own place again.
 */
export function chooseConversation(scenario: Scenario, request: ModelRequest): Place | undefined {
  for (let at = request.history.length - 1; at >= 0; at -= 1) {
    const item = request.history[at];
    if (item?.kind !== 'prompt') continue;
    const choice = choose(scenario, request.token, item.text);
    if (choice === 'continuation') continue;
    return choice && { conversation: choice, lastTurn: lastTurn(request, at) };
  }
  const fallback = choose(scenario, request.token, '');
  return fallback === undefined || fallback === 'continuation'
    ? undefined
    : { conversation: fallback, lastTurn: lastTurn(request, -1) };
}

function choose(
  scenario: Scenario,
  token: string,
  prompt: string,
): Conversation | 'continuation' | undefined {
  const open = scenario.conversations.filter(({ key }) => key === undefined || key === token);
  const named = open.find(({ when }) => when !== undefined && matches(when, prompt));
  if (named) return named;
  if (scenario.continuations.some((pattern) => matches(pattern, prompt))) return 'continuation';
  const general = open.filter(({ when }) => when === undefined);
  return general.find(({ key }) => key !== undefined) ?? general[0];
}

function matches(pattern: Pattern, text: string): boolean {
  if (typeof pattern === 'string') return text.includes(pattern);
  // A new object each time: a shared one with the flag g would remember where it stopped.
  const { source, flags } =
    pattern instanceof RegExp ? pattern : { source: pattern.regex, flags: pattern.flags ?? '' };
  return new RegExp(source, flags).test(text);
}

function lastTurn(request: ModelRequest, promptAt: number): number {
  let last = -1;
  let inside = false;
  for (const item of request.history.slice(promptAt + 1)) {
    if (item.kind !== 'output') {
      inside = false;
    } else {
      if (item.turn !== undefined) last = item.turn;
      else if (!inside) last += 1;
      inside = true;
    }
  }
  return last;
}
