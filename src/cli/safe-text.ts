/** Complete escape sequences: those that carry a text up to a terminator (titles, device strings), then those that move, colour and clear. */
const sequences =
  /\u001B[\]PX^_][^\u0007\u001B\u009C]{0,4096}(?:\u0007|\u001B\\|\u009C)|(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]/g;
/** What is left of them, other controls but tab and newline, and the marks that turn the direction of text around (Trojan source). */
const controls = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g;

/** Text of an agent for a terminal: without what could move its cursor, change its title or hide other text. */
export function safeText(text: string): string {
  return text.replaceAll(sequences, '').replaceAll(controls, '');
}

/** One line of at most `width` columns. */
export function oneLine(text: string, width: number): string {
  // A long text is not looked at beyond what can be shown.
  const head = text.slice(0, Math.max(64, width) * 16);
  return cutTo(safeText(head).replaceAll(/\s+/g, ' ').trim(), width);
}

/** The last `width` columns of the last line, for what is still being said. */
export function lastWords(text: string, width: number): string {
  const line =
    safeText(text.slice(-width * 16))
      .trimEnd()
      .split('\n')
      .at(-1) ?? '';
  let columns = 0;
  let start = line.length;
  for (const character of Array.from(line).toReversed()) {
    columns += columnsOf(character);
    if (columns > width - 1) return `…${line.slice(start)}`;
    start -= character.length;
  }
  return line;
}

const wide =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u;
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

function columnsOf(character: string): number {
  if (zeroWidth.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

function cutTo(text: string, width: number): string {
  let columns = 0;
  let end = 0;
  let lastThatFits = 0;
  for (const character of text) {
    columns += columnsOf(character);
    if (columns > width) return `${text.slice(0, lastThatFits)}…`;
    end += character.length;
    // One column is kept for the mark.
    if (columns < width) lastThatFits = end;
  }
  return text;
}
