import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from './context.ts';

/** Rows under a head, in columns as wide as they must be; the last column is not padded. */
export function printTable(
  out: Terminal,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const all = [head.map((title) => title.toUpperCase()), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => widthOf(row[column]))));
  for (const row of all) {
    const cells = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)),
    );
    out.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

function widthOf(cell: string | undefined): number {
  return stripVTControlCharacters(cell ?? '').length;
}
