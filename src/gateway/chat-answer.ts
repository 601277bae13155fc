import type { ChatPlan } from './plan-chat.ts';
import type { Choice, FinishReason } from './run-choice.ts';
import type { TokenUsage, ToolCall } from './turn.ts';

/** A chat completion in one piece. https://platform.openai.com/docs/api-reference/chat/object */
export function chatCompletion({ id, created, model }: ChatPlan, choices: readonly Choice[]): object {
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: choices.map(({ text, toolCalls, finishReason }, index) => ({
      index,
      message: {
        role: 'assistant',
        content: text === '' && toolCalls.length > 0 ? null : text,
        refusal: null,
        ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(asCall) }),
      },
      logprobs: null,
      finish_reason: finishReason,
    })),
    usage: chatUsage(choices),
    service_tier: null,
    system_fingerprint: null,
  };
}

/** The prompt is the same for all choices; Codex is asked, and counts, once for each. */
function chatUsage(choices: readonly Choice[]): object {
  const sum = (of: (usage: TokenUsage) => number): number =>
    choices.reduce((total, { usage }) => total + of(usage), 0);
  const prompt = sum(({ inputTokens }) => inputTokens);
  const completion = sum(({ outputTokens }) => outputTokens);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: sum(({ cachedInputTokens }) => cachedInputTokens) },
    completion_tokens_details: { reasoning_tokens: sum(({ reasoningTokens }) => reasoningTokens) },
  };
}

function asCall({ id, name, arguments: args }: ToolCall): object {
  return { id, type: 'function', function: { name, arguments: args } };
}

type Delta = Readonly<Record<string, unknown>>;

/** A chat completion in pieces: the first of each choice is the role alone, the last has the reason of its end. */
export class ChatChunks {
  readonly #plan: ChatPlan;
  readonly #calls = new Map<number, number>();

  constructor(plan: ChatPlan) {
    this.#plan = plan;
  }

  text(index: number, content: string): readonly object[] {
    return [...this.#begin(index), this.#chunk(index, { content })];
  }

  toolCall(index: number, call: ToolCall): readonly object[] {
    const begun = this.#begin(index);
    const at = this.#calls.get(index) ?? 0;
    this.#calls.set(index, at + 1);
    return [...begun, this.#chunk(index, { tool_calls: [{ index: at, ...asCall(call) }] })];
  }

  finish(index: number, reason: FinishReason): readonly object[] {
    return [...this.#begin(index), this.#chunk(index, {}, reason)];
  }

  usage(choices: readonly Choice[]): readonly object[] {
    if (!this.#plan.includeUsage) return [];
    return [{ ...this.#head(), choices: [], usage: chatUsage(choices) }];
  }

  #begin(index: number): readonly object[] {
    if (this.#calls.has(index)) return [];
    this.#calls.set(index, 0);
    return [this.#chunk(index, { role: 'assistant' })];
  }

  #chunk(index: number, delta: Delta, reason: FinishReason | null = null): object {
    return {
      ...this.#head(),
      choices: [{ index, delta, logprobs: null, finish_reason: reason }],
      usage: null,
    };
  }

  #head(): object {
    const { id, created, model } = this.#plan;
    return { id, object: 'chat.completion.chunk', created, model, system_fingerprint: null };
  }
}
