import { redactedMark, tokenPatterns } from './token-patterns.ts';

/** Shorter values stand in ordinary text by chance: taking them out would garble it and protect nothing. */
const minLength = 6;

/** The secrets that this process knows by value, and the expression that finds them and what looks like one. */
export class Secrets {
  readonly #spellings = new Set<string>();
  #expression: RegExp | null = null;
  #longest = 0;

  /**
   * From here on no text that passes a redactor has this value in it, nor its JSON, URL or base64 spelling, nor one of its
   * lines. Values under six characters are not taken.
   */
  add(value: string): void {
    const lines = value.includes('\n') ? value.split('\n').map((line) => line.trim()) : [];
    for (const part of [value, value.trim(), ...lines]) {
      if (part.length < minLength || redactedMark.includes(part)) continue;
      for (const spelling of spellings(part)) {
        this.#spellings.add(spelling);
        this.#longest = Math.max(this.#longest, spelling.length);
      }
    }
    this.#expression = null;
  }

  /** Finds the known values and the token shapes; global, so use it with `matchAll` or `replace` alone. */
  get expression(): RegExp {
    if (this.#expression === null) {
      const longestFirst = [...this.#spellings].sort((a, b) => b.length - a.length);
      const known = longestFirst.map(escaped);
      this.#expression = new RegExp([...known, ...tokenPatterns].join('|'), 'g');
    }
    return this.#expression;
  }

  get longest(): number {
    return this.#longest;
  }

  /** How many of the last characters of `text` may be the beginning of a known value. */
  unfinishedLength(text: string): number {
    let longest = 0;
    for (const spelling of this.#spellings) {
      const first = spelling.charAt(0);
      let start = text.indexOf(first, Math.max(0, text.length - spelling.length + 1));
      while (start !== -1 && !spelling.startsWith(text.slice(start))) start = text.indexOf(first, start + 1);
      if (start !== -1) longest = Math.max(longest, text.length - start);
    }
    return longest;
  }
}

function escaped(literal: string): string {
  return literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function spellings(value: string): readonly string[] {
  const url = value.isWellFormed() ? [encodeURIComponent(value)] : [];
  return [value, JSON.stringify(value).slice(1, -1), ...url, Buffer.from(value).toString('base64')];
}

/** Those of this process: whoever comes to hold a secret adds it. */
export const secrets = new Secrets();
