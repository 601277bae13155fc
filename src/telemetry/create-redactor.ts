import { redactText } from './redact-text.ts';
import { secrets, type Secrets } from './secrets.ts';
import { credentialScheme, longestCredentialScheme, longestToken } from './token-patterns.ts';

/** Redacts a text that comes in pieces; a secret that lies across pieces is found. */
export interface Redactor {
  /** The next piece; returns what is safe to pass on, which may be less or nothing. */
  push(piece: string): string;
  /** The end: returns what was held back. The redactor is then as new. */
  flush(): string;
}

/**
 * Holds back the last word, and what may be the beginning of a known secret: at most about 16 KB, or twice the longest secret.
 * Bytes must be decoded before (`StringDecoder`), else a character may be cut.
 */
export function createRedactor(known: Secrets = secrets): Redactor {
  let held = '';
  let isOneWord = true;

  const flush = (): string => {
    const rest = redactText(held, known);
    [held, isOneWord] = ['', true];
    return rest;
  };

  const push = (piece: string): string => {
    held += piece;
    isOneWord &&= !/\s/.test(piece);
    const most = Math.max(longestToken, known.longest);
    // Looking again at each piece of a long word would take quadratic time.
    if (isOneWord && held.length < 2 * most) return '';
    const cut = safeCut(held, most, known);
    const safe = redactText(held.slice(0, cut), known);
    held = held.slice(cut);
    isOneWord = !/\s/.test(held);
    return safe;
  };

  return { push, flush };
}

/** The length of the part of `text` whose redaction no later text can change. */
function safeCut(text: string, most: number, known: Secrets): number {
  let cut = Math.min(lastWordStart(text, most), text.length - known.unfinishedLength(text));
  const scheme = credentialScheme.exec(text.slice(Math.max(0, cut - longestCredentialScheme), cut));
  if (scheme !== null) cut -= scheme[0].length;
  const isForced = text.length - cut >= most;
  for (const match of text.matchAll(known.expression)) {
    const end = match.index + match[0].length;
    if (match.index >= cut) break;
    if (end > cut) return isForced ? end : match.index;
  }
  return cut;
}

/** Where the white space before the last word ends, looking back no further than `most`. */
function lastWordStart(text: string, most: number): number {
  const furthest = Math.max(0, text.length - most);
  let start = text.length;
  while (start > furthest && !/\s/.test(text.charAt(start - 1))) start -= 1;
  return start;
}
