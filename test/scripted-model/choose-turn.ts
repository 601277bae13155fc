import { chooseConversation } from './choose-conversation.ts';
import { lastPrompt } from './model-request.ts';
import type { ModelRequest } from './model-request.ts';
import { parseTurn } from './scenario.ts';
import type { Conversation, Scenario, Turn } from './scenario.ts';

export interface ChosenTurn {
  readonly conversation: string;
  readonly index: number;
  readonly turn: Turn;
  /** What is wrong with the script, when it has no answer; the model says it too. */
  readonly problem?: string;
}

const maxCounters = 10_000;

/** Follows a scenario; remembers only how often a limited fault (`times`) was shown to each thread. */
export class Script {
  readonly scenario: Scenario;
  readonly #shown = new Map<string, number>();

  constructor(scenario: Scenario) {
    this.scenario = scenario;
  }

  next(request: ModelRequest, from = 0): ChosenTurn {
    const place = chooseConversation(this.scenario, request);
    if (!place) {
      return this.#lost(
        'none',
        0,
        `no conversation matches the prompt ${JSON.stringify(lastPrompt(request))}`,
      );
    }
    const name = this.#nameOf(place.conversation);
    const last = turnAt(place.conversation, place.lastTurn, request);
    let index = Math.max(from, last?.fault === 'never_ending' ? place.lastTurn : place.lastTurn + 1);
    for (;;) {
      const turn = turnAt(place.conversation, index, request);
      if (!turn) return this.#lost(name, index, `conversation "${name}" has no turn ${String(index)}`);
      if (!this.#used(turn, `${request.threadId} ${name} ${String(index)}`)) {
        return { conversation: name, index, turn };
      }
      index += 1;
    }
  }

  #used(turn: Turn, key: string): boolean {
    if (turn.fault === undefined || turn.times === undefined) return false;
    const shown = this.#shown.get(key) ?? 0;
    if (shown >= turn.times) return true;
    this.#shown.set(key, shown + 1);
    for (const oldest of this.#shown.keys()) {
      if (this.#shown.size <= maxCounters) break;
      this.#shown.delete(oldest);
    }
    return false;
  }

  #nameOf(conversation: Conversation): string {
    return conversation.name ?? String(this.scenario.conversations.indexOf(conversation));
  }

  #lost(conversation: string, index: number, problem: string): ChosenTurn {
    return { conversation, index, problem, turn: parseTurn({ text: `[scripted model: ${problem}]` }) };
  }
}

function turnAt(conversation: Conversation, index: number, request: ModelRequest): Turn | undefined {
  if (index < 0) return undefined;
  if (typeof conversation.turns !== 'function') return conversation.turns[index];
  const turn = conversation.turns(index, request);
  return turn && parseTurn(turn);
}
