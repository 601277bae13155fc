/** Codex does not count tokens as it writes: English text has about this many characters to one. */
export const charsPerToken = 4;

export interface TextLimits {
  readonly stop: readonly string[];
  readonly maxTokens: number | null;
}

/** Lets text through up to a stop string or the token limit; what may be the beginning of a stop string waits for what follows. */
export class TextCut {
  readonly #stop: readonly string[];
  #left: number;
  #held = '';
  /** Why nothing more comes; null while it does. */
  cut: 'stop' | 'length' | null = null;

  constructor({ stop, maxTokens }: TextLimits) {
    this.#stop = stop;
    this.#left = maxTokens === null ? Number.POSITIVE_INFINITY : maxTokens * charsPerToken;
  }

  /** @returns what may be shown now */
  push(delta: string): string {
    if (this.cut !== null) return '';
    if (this.#stop.length === 0) return this.#measure(delta);
    const text = this.#held + delta;
    const found = firstStop(text, this.#stop);
    if (found !== null) {
      this.#held = '';
      const shown = this.#measure(text.slice(0, found));
      this.cut ??= 'stop';
      return shown;
    }
    const keep = Math.max(...this.#stop.map((stop) => openLength(text, stop)));
    this.#held = text.slice(text.length - keep);
    return this.#measure(text.slice(0, text.length - keep));
  }

  /** @returns what was held back for a stop string that did not come */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return this.cut === null ? this.#measure(rest) : '';
  }

  #measure(text: string): string {
    if (text.length <= this.#left) {
      this.#left -= text.length;
      return text;
    }
    this.cut = 'length';
    const end = isHighSurrogate(text.charCodeAt(this.#left - 1)) ? this.#left - 1 : this.#left;
    this.#left = 0;
    return text.slice(0, end);
  }
}

/**
 * Where the stop string begins that is complete first, as if the text came character by character: how it is cut into pieces
 * decides nothing. Of two that end together, the longer one.
 */
function firstStop(text: string, stops: readonly string[]): number | null {
  const [first] = stops
    .map((stop) => ({ start: text.indexOf(stop), length: stop.length }))
    .filter(({ start }) => start !== -1)
    .sort((a, b) => a.start + a.length - (b.start + b.length) || b.length - a.length);
  return first?.start ?? null;
}

/** How many of the last characters of `text` `stop` begins with. */
function openLength(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length -= 1) {
    if (stop.startsWith(text.slice(text.length - length))) return length;
  }
  return 0;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
