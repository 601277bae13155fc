import type { Claim, FileChange } from '../contract/job.ts';
import { isFence, parseFileLine, parseHeading, plainText, type Heading } from './output-line.ts';

const maxSummaryChars = 4000;

type Section =
  | { readonly name: 'FILES_CHANGED'; readonly count: number | null; readonly files: readonly FileChange[] }
  | { readonly name: 'SUMMARY'; readonly text: string | null };

/**
 * What the agent claims at the end of its final message: `FILES_CHANGED` and `SUMMARY`, as a count or as a list, in either
 * order, in plain text or Markdown. The last block wins; null where there is none. Takes time linear in the message.
 */
export function parseOutputBlock(finalMessage: string): Claim | null {
  const sections = findSections(finalMessage.split(/\r\n|\r|\n/));
  const last = sections.at(-1);
  if (last === undefined) return null;
  const before = sections.at(-2);
  const block = before === undefined || before.name === last.name ? [last] : [before, last];
  const files = block.find((section) => section.name === 'FILES_CHANGED');
  const summary = block.find((section) => section.name === 'SUMMARY');
  return {
    filesChanged: files?.count ?? null,
    files: [...(files?.files ?? [])],
    summary: summary?.text ?? null,
  };
}

/** The summary of a message without a block: its first paragraph that says something; null for an empty message. */
export function firstParagraph(finalMessage: string): string | null {
  const lines = finalMessage.split(/\r\n|\r|\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const heading = parseHeading(line);
    if (heading !== null) at = readSection(lines, at, heading).end - 1;
    else if (line.trim() !== '' && !isFence(line)) return readParagraph(lines, at, '').text;
  }
  return null;
}

function findSections(lines: readonly string[]): Section[] {
  const sections: Section[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const heading = parseHeading(lines[at] ?? '');
    if (heading === null) continue;
    const { section, end } = readSection(lines, at, heading);
    sections.push(section);
    at = end - 1;
  }
  return sections;
}

/** `end`: the first line that is no longer part of it. */
function readSection(
  lines: readonly string[],
  at: number,
  heading: Heading,
): { readonly section: Section; readonly end: number } {
  if (heading.name === 'FILES_CHANGED') return readFiles(lines, at + 1, heading.rest);
  let start = at + 1;
  if (heading.rest === '') while (start < lines.length && lines[start]?.trim() === '') start += 1;
  const { text, end } = readParagraph(lines, start, heading.rest);
  return { section: { name: 'SUMMARY', text }, end };
}

function readFiles(
  lines: readonly string[],
  start: number,
  rest: string,
): { readonly section: Section; readonly end: number } {
  const files = new Map<string, FileChange>();
  let unnamed = 0;
  let end = start;
  for (; end < lines.length; end += 1) {
    const line = lines[end] ?? '';
    if (line.trim() === '') continue;
    if (isFence(line) || parseHeading(line) !== null) break;
    const entry = parseFileLine(line);
    if (entry === null) break;
    if (entry === 'unnamed') unnamed += 1;
    else if (entry !== 'none') files.set(entry.path, entry);
  }
  const said = countIn(rest);
  const listed = files.size + unnamed;
  // A heading over nothing claims that nothing changed; over prose it claims nothing that can be compared.
  const isEmpty =
    end === lines.length || parseHeading(lines[end] ?? '') !== null || isFence(lines[end] ?? '');
  const counted = listed > 0 || (rest === '' && isEmpty) ? listed : null;
  return { section: { name: 'FILES_CHANGED', count: said ?? counted, files: [...files.values()] }, end };
}

function countIn(rest: string): number | null {
  if (/^\(?(none|no files?)\b/i.test(rest)) return 0;
  const digits = /^\d{1,9}(?!\d)/.exec(rest)?.[0];
  return digits === undefined ? null : Number(digits);
}

function readParagraph(
  lines: readonly string[],
  start: number,
  first: string,
): { readonly text: string | null; readonly end: number } {
  const parts = first === '' ? [] : [first];
  let end = start;
  for (; end < lines.length; end += 1) {
    const line = lines[end] ?? '';
    if (line.trim() === '' || isFence(line) || parseHeading(line) !== null) break;
    parts.push(plainText(line));
  }
  const text = parts.join('\n');
  if (text === '') return { text: null, end };
  return { text: text.length > maxSummaryChars ? `${text.slice(0, maxSummaryChars - 1)}…` : text, end };
}
