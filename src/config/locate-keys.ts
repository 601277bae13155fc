const header = /^\s*\[\[?([^\]#]+)\]/;
const assignment = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=/;

/**
 * The line, from 1, of each table and key of a TOML text, by dotted name. Keys of an inline table are not in it: look up
 * what they are part of. The parser gives no positions; this reads only as much as a message needs.
 */
export function locateKeys(toml: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let table = '';
  let insideText = false;
  for (const [index, line] of toml.split('\n').entries()) {
    const startsInsideText = insideText;
    if ((line.match(/"""|'''/g)?.length ?? 0) % 2 === 1) insideText = !insideText;
    if (startsInsideText) continue;
    const opened = header.exec(line)?.[1];
    const assigned = assignment.exec(line)?.[1];
    if (opened !== undefined) table = `${dotted(opened)}.`;
    const name =
      opened !== undefined ? dotted(opened) : assigned === undefined ? null : table + dotted(assigned);
    if (name !== null && !lines.has(name)) lines.set(name, index + 1);
  }
  return lines;
}

function dotted(key: string): string {
  return key
    .split('.')
    .map((part) => part.trim().replaceAll(/^["']|["']$/g, ''))
    .join('.');
}

/** The line of `name`, or of the nearest table or key that holds it. */
export function lineOf(lines: ReadonlyMap<string, number>, name: string): number | undefined {
  for (let part = name; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('.')))) {
    const line = lines.get(part);
    if (line !== undefined) return line;
  }
  return undefined;
}
