/** What stands on a terminal after `text`, as far as our output drives one: line feeds, returns, cursor up, line erased; colours are left out. */
export function screen(text: string): readonly string[] {
  const rows = [''];
  let row = 0;
  for (const [part] of text.matchAll(/\u001B\[[0-9;?]*[A-Za-z]|\r|\n|[^\u001B\r\n]+/g)) {
    if (part === '\n') row += 1;
    else if (part === '\r') continue;
    else if (part.startsWith('\u001B')) {
      if (part.endsWith('A')) row = Math.max(0, row - Number(/\d+/.exec(part)?.[0] ?? 1));
      if (part.endsWith('K')) rows[row] = '';
    } else rows[row] = `${rows[row] ?? ''}${part}`;
    rows[row] ??= '';
  }
  return rows;
}
