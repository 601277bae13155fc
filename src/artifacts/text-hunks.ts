import { structuredPatch } from 'diff';

const noNewline = '\\ No newline at end of file';
/** Beyond this many inserted and deleted lines, or this long, nobody reads the difference: the whole file is replaced. */
const maxEditLength = 4_000;
const maxFileMs = 200;

function range(start: number, count: number): string {
  // A range without lines names the line before it; a count of one goes without saying.
  if (count === 0) return `${String(start - 1)},0`;
  return count === 1 ? String(start) : `${String(start)},${String(count)}`;
}

function hunkHead(oldStart: number, oldLines: number, newStart: number, newLines: number): string {
  return `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@\n`;
}

function allLines(text: string, sign: '+' | '-'): { readonly text: string; readonly count: number } {
  if (text === '') return { text: '', count: 0 };
  const ends = text.endsWith('\n');
  const lines = (ends ? text.slice(0, -1) : text).split('\n');
  const body = lines.map((line) => `${sign}${line}\n`).join('');
  return { text: ends ? body : `${body}${noNewline}\n`, count: lines.length };
}

function replaceAll(before: string, after: string): string {
  const removed = allLines(before, '-');
  const added = allLines(after, '+');
  return hunkHead(1, removed.count, 1, added.count) + removed.text + added.text;
}

/** What all line differences of one patch may cost together; files beyond it are replaced whole. */
export interface DiffBudget {
  leftMs: number;
}

/**
 * The hunks of a unified diff with three lines of context. Texts hold one character a byte (latin1), so that every encoding survives;
 * lines end at `\n` alone.
 */
export function textHunks(before: string, after: string, budget: DiffBudget): string {
  if (before === '' || after === '' || budget.leftMs <= 0) return replaceAll(before, after);
  const startedAt = performance.now();
  const patch = structuredPatch('', '', before, after, undefined, undefined, {
    context: 3,
    maxEditLength,
    timeout: Math.min(maxFileMs, budget.leftMs),
  });
  budget.leftMs -= performance.now() - startedAt;
  if (patch === undefined) return replaceAll(before, after);
  return patch.hunks
    .map(
      ({ oldStart, oldLines, newStart, newLines, lines }) =>
        hunkHead(oldStart, oldLines, newStart, newLines) + lines.map((line) => `${line}\n`).join(''),
    )
    .join('');
}
