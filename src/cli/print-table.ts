import { stripVTControlCharacters } from 'node:util';
import { columnsOf, type Terminal } from './context.ts';
import { oneLine } from './safe-text.ts';

const gap = '  ';
const narrowestLast = 12;

/** Rows under a head, in columns as wide as they must be; the last column is not padded, and cut where a terminal's line ends. */
export function printTable(
  out: Terminal,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const all = [head.map((title) => title.toUpperCase()), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => widthOf(row[column]))));
  const last = head.length - 1;
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + gap.length, 0);
  const room = Math.max(narrowestLast, columnsOf(out, Infinity) - before);
  for (const row of all) {
    const cells = row.map((cell, column) => {
      if (column < last) return cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell));
      return widthOf(cell) <= room ? cell : oneLine(cell, room);
    });
    out.write(`${cells.join(gap).trimEnd()}\n`);
  }
}

function widthOf(cell: string | undefined): number {
  return stripVTControlCharacters(cell ?? '').length;
}
