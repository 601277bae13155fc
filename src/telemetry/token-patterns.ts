export const redactedMark = '[redacted]';

const fresh = '(?<![A-Za-z0-9])';
const tokenText = '[A-Za-z0-9._~+/=-]';

/**
 * What looks like a key, known or not. Each matches a bounded length and scans ahead by a bounded length, so that a
 * search takes linear time and a stream holds back little. Only `credentialScheme` may have white space in it.
 */
export const tokenPatterns: readonly string[] = [
  `${fresh}sk-[A-Za-z0-9_-]{16,512}`,
  `${fresh}gh[opusr]_[A-Za-z0-9]{16,512}`,
  `${fresh}github_pat_[A-Za-z0-9_]{20,512}`,
  `${fresh}glpat-[A-Za-z0-9_-]{16,512}`,
  `${fresh}AIza[A-Za-z0-9_-]{20,128}`,
  `${fresh}(?:AKIA|ASIA)[A-Z0-9]{16}`,
  `${fresh}xox[abeoprs]-[A-Za-z0-9-]{10,512}`,
  `(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,1024}\\.eyJ[A-Za-z0-9_-]{8,4096}\\.[A-Za-z0-9_-]{8,1024}`,
  // Prose has "bearer certificates": a short word counts as a token only with a digit in it.
  `${fresh}(?:[Bb]earer|BEARER)[ \\t]{1,8}(?:${tokenText}{20,4096}|(?=[A-Za-z._~+/-]{0,20}[0-9])${tokenText}{8,20})`,
  `${fresh}(?:[Bb]asic|BASIC)[ \\t]{1,8}(?=[A-Za-z+/]{0,64}[0-9=])[A-Za-z0-9+/=]{8,2048}`,
  `://[^\\s/:@"'<>]{0,256}:[^\\s/"'<>]{1,512}@`,
  `://[^\\s/:@"'<>]{16,512}@`,
];

/** More than any pattern matches. */
export const longestToken = 8192;

/** The end of a text after which a token may still come; the second is its length with the character before. */
export const credentialScheme = /(?<![A-Za-z0-9])(?:bearer|basic)[ \t]{1,8}$/i;
export const longestCredentialScheme = 15;

const keptHead = /^(?::\/\/(?=[^]*@$)|(?:bearer|basic)[ \t]+(?=\S))/i;

/** What stands in the place of a match: the mark, with the words around a token that say what it was. */
export function markFor(match: string): string {
  const head = keptHead.exec(match)?.[0] ?? '';
  return `${head}${redactedMark}${head === '://' ? '@' : ''}`;
}
