import type { Terminal } from './context.ts';

/** Characters that JSON lets stand and that drive a terminal or end a line for careless readers. */
const escapedToo = /[\u007F-\u009F\u2028\u2029]/g;

/** One JSON value on one line. */
export function printJson(out: Terminal, value: unknown): void {
  const json = JSON.stringify(value).replaceAll(
    escapedToo,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  out.write(`${json}\n`);
}
