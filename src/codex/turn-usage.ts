import type { Usage } from '../contract/job.ts';

interface Tokens {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

export const noUsage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };

/** What one turn used: Codex counts a thread from its beginning, and may say the same numbers twice. */
export class TurnUsage {
  #before: Tokens | null = null;
  #total: Tokens = noUsage;

  /** @returns the turn's usage so far, or null where nothing has changed */
  update({ total, last }: { readonly total: Tokens; readonly last: Tokens }): Usage | null {
    this.#before ??= combine(total, last, (all, newest) => all - newest);
    const old = this.value;
    this.#total = total;
    const now = this.value;
    return now.inputTokens === old.inputTokens && now.outputTokens === old.outputTokens ? null : now;
  }

  get value(): Usage {
    return this.#before === null
      ? noUsage
      : combine(this.#total, this.#before, (all, before) => Math.max(0, all - before));
  }
}

function combine(a: Tokens, b: Tokens, how: (a: number, b: number) => number): Usage {
  return {
    inputTokens: how(a.inputTokens, b.inputTokens),
    cachedInputTokens: how(a.cachedInputTokens, b.cachedInputTokens),
    outputTokens: how(a.outputTokens, b.outputTokens),
  };
}
