import type { Row } from './figure.ts';

const columns = ['figure', 'ours', 'rival', 'ratio', 'goal', ''] as const;

function cells(row: Row): readonly string[] {
  const unit = row.unit;
  return [
    row.figure,
    `${number(row.ours)} ${unit}`,
    row.rival === null ? '' : `${number(row.rival)} ${unit}`,
    row.ratio === null ? '' : `${row.ratio.toFixed(2)} ×`,
    row.goal,
    row.met === null ? '' : row.met ? 'met' : 'missed',
  ];
}

function number(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Aligned with blanks, for a terminal. */
export function plainTable(rows: readonly Row[]): string {
  const lines = [columns, ...rows.map(cells)];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
        .join('  '),
    )
    .map((line) => line.trimEnd())
    .join('\n');
}

export function markdownTable(rows: readonly Row[]): string {
  const lines = [columns, columns.map((_, index) => (index === 0 ? '---' : '--:')), ...rows.map(cells)];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
