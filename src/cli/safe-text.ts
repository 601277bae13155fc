/** Text of an agent for a terminal: without the control characters and escape sequences that could move its cursor or change its title. */
export function safeText(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are the characters to take out
  return text
    .replaceAll(/\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|\u001B\[[0-?]*[ -/]*[@-~]|\u001B./g, '')
    .replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, '');
}

/** One line of at most `width` characters. */
export function oneLine(text: string, width: number): string {
  const line = safeText(text).replaceAll(/\s+/g, ' ').trim();
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}
