const shortEscapes: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

const needsQuotes = (byte: number): boolean => byte < 0x20 || byte >= 0x7f || byte === 34 || byte === 92;

/** A path as git writes it in a patch (git-config(1), core.quotePath): quoted, with C escapes, where a byte is not plain ASCII. */
export function gitPath(path: string): string {
  const bytes = Buffer.from(path, 'utf8');
  if (!bytes.some(needsQuotes)) return path;
  const escaped = Array.from(bytes, (byte) => {
    if (!needsQuotes(byte)) return String.fromCharCode(byte);
    return shortEscapes[byte] ?? `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${escaped.join('')}"`;
}

/** The path in a `---` or `+++` line, where a tab must end a name that holds a space: patch programs cut the line there. */
export function gitFilePath(path: string): string {
  const quoted = gitPath(path);
  return quoted.includes(' ') && !quoted.startsWith('"') ? `${quoted}\t` : quoted;
}
