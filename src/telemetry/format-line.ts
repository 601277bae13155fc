export type LogLine = Readonly<Record<string, unknown>>;

const notShown = new Set(['level', 'time', 'pid', 'msg', 'err', 'error']);

/** One log line for people: time, level, message, facts; the stack of an error below. Control characters are spelled out. */
export function formatLine(line: LogLine): string {
  const time = typeof line['time'] === 'string' ? line['time'].slice(11, 19) : '';
  const level = printable(line['level']).toUpperCase().padEnd(5);
  const facts = Object.entries(line)
    .filter(([name]) => !notShown.has(name))
    .map(([name, value]) => `${oneLine(name)}=${fact(value)}`);
  const errors = [line['err'], line['error']].filter((error) => error !== undefined && error !== null);
  const head = [time, level, oneLine(printable(line['msg'])), ...facts].join(' ');
  return `${[head, ...errors.map(indented)].join('\n')}\n`;
}

function fact(value: unknown): string {
  if (typeof value !== 'string') return printable(value);
  return /^[\w.:/@+[\]-]+$/.test(value) ? value : JSON.stringify(value);
}

/** The stack, and the fields that say what to do about it. */
function indented(error: unknown): string {
  const isRecord = typeof error === 'object' && error !== null;
  const { stack, type: _, message: __, ...rest } = (isRecord ? error : { stack: error }) as LogLine;
  const rows = Object.entries(rest).map(([name, value]) => `${name}: ${printable(value)}`);
  return [...printable(stack).split('\n'), ...rows].map((row) => `    ${oneLine(row.trim())}`).join('\n');
}

function printable(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Text of an agent could otherwise forge lines or drive the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
