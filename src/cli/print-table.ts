import { stripVTControlCharacters } from 'node:util';
import { columnsOf, type Terminal } from './context.ts';
import { oneLine } from './safe-text.ts';

const gap = '  ';
const narrowestLast = 12;

type Row = readonly string[];

/**
 * Rows under a head, in columns as wide as they must be; the last column is not padded, and cut where a terminal's line ends. Where a
 * terminal is too narrow, the first column stands on a line of its own above the others: what it names can still be copied. Without rows, nothing.
 */
export function printTable(out: Terminal, head: Row, rows: readonly Row[]): void {
  if (rows.length === 0) return;
  const all = [head.map((title) => title.toUpperCase()), ...rows];
  const columns = columnsOf(out, Infinity);
  const widths = widthsOf(all);
  if (beforeLast(widths) + narrowestLast <= columns) {
    for (const row of all) out.write(`${line(row, widths, columns)}\n`);
    return;
  }
  const rest = all.map((row) => row.slice(1));
  const restWidths = widthsOf(rest);
  const room = columns - gap.length;
  // Ragged rather than broken in the middle of a cell.
  const padded = beforeLast(restWidths) + narrowestLast <= room ? restWidths : restWidths.map(() => 0);
  for (const [at, [first = '']] of all.entries())
    out.write(`${first}\n${gap}${line(rest[at] ?? [], padded, room)}\n`);
}

function line(row: Row, widths: readonly number[], columns: number): string {
  const cells = row.map((cell, column) => cell.padEnd((widths[column] ?? 0) + cell.length - widthOf(cell)));
  const last = row.at(-1) ?? '';
  const before = cells.slice(0, -1).join(gap);
  const start = row.length > 1 ? `${before}${gap}` : '';
  const room = Math.max(narrowestLast, columns - widthOf(start));
  return `${start}${widthOf(last) <= room ? last : oneLine(last, room)}`.trimEnd();
}

function widthsOf(rows: readonly Row[]): readonly number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]))));
}

function beforeLast(widths: readonly number[]): number {
  return widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0);
}

function widthOf(cell: string | undefined): number {
  return stripVTControlCharacters(cell ?? '').length;
}
