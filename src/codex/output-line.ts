import type { FileChange } from '../contract/job.ts';

/** The first line of a part of the output block, and what follows the name on it. */
export interface Heading {
  readonly name: 'FILES_CHANGED' | 'SUMMARY';
  readonly rest: string;
}

/** More decoration than this in front of a name is no decoration. */
const maxLead = 8;
const names = ['FILES_CHANGED', 'SUMMARY'] as const;
const markers = ['***', '**', '*', '__', '_', '`'] as const;

export function isFence(line: string): boolean {
  return /^\s{0,8}(```|~~~)/.test(line);
}

/** Recognises the names in capitals alone: "Summary" is a word that prose and other headings use. */
export function parseHeading(line: string): Heading | null {
  const bare = withoutLead(line).text;
  const marker = markers.find((one) => bare.startsWith(one)) ?? '';
  const inner = bare.slice(marker.length);
  const name = names.find((one) => inner.startsWith(one));
  if (name === undefined) return null;
  let rest = withoutStart(inner.slice(name.length), marker).trimStart();
  const hasColon = rest.startsWith(':');
  if (hasColon) rest = withoutStart(rest.slice(1), marker).trim();
  if (!hasColon && rest.trim() !== '') return null;
  // `**SUMMARY: all of it bold**`
  if (marker !== '' && rest.endsWith(marker) && !rest.slice(0, -marker.length).includes(marker)) {
    rest = rest.slice(0, -marker.length).trimEnd();
  }
  return { name, rest: rest.trim() };
}

const changes: ReadonlyMap<string, FileChange['change']> = new Map<string, FileChange['change']>([
  ['created', 'created'],
  ['added', 'created'],
  ['modified', 'modified'],
  ['updated', 'modified'],
  ['changed', 'modified'],
  ['deleted', 'deleted'],
  ['removed', 'deleted'],
]);

/** One line of the list: a file, a bullet that names no change, "none", or null where the list is over. */
export function parseFileLine(line: string): FileChange | 'unnamed' | 'none' | null {
  const { text, isBullet } = withoutLead(line);
  const colon = text.indexOf(':');
  const change = colon === -1 || colon > 24 ? undefined : changes.get(bareWord(text.slice(0, colon)));
  if (change !== undefined) {
    const marker = markers.find((one) => text.startsWith(one)) ?? '';
    const path = parsePath(withoutStart(text.slice(colon + 1), marker));
    return path === '' ? 'unnamed' : { path, change };
  }
  if (/^\(?(none|no files?)\b.{0,20}$/i.test(text)) return 'none';
  return isBullet ? 'unnamed' : null;
}

/** A line of running text without what Markdown puts in front of a quote or a heading. */
export function plainText(line: string): string {
  return line.trim().replace(/^(#{1,6}|>)\s+/, '');
}

/** Paths may hold spaces: only what encloses a whole path is taken off. */
function parsePath(text: string): string {
  let path = text.trim();
  const quote = path.charAt(0);
  if (quote === '`' || quote === '"' || quote === "'") {
    const close = path.indexOf(quote, 1);
    if (close > 1) path = path.slice(1, close);
  } else if (path.startsWith('**') && path.endsWith('**') && path.length > 4) path = path.slice(2, -2);
  return path.startsWith('./') ? path.slice(2) : path;
}

function bareWord(text: string): string {
  return text.replace(/[*_`[\]\s]/g, '').toLowerCase();
}

function withoutStart(text: string, marker: string): string {
  const trimmed = text.trimStart();
  return marker !== '' && trimmed.startsWith(marker) ? trimmed.slice(marker.length) : text;
}

/** A line without indentation, quote signs, list bullets, numbers and heading signs. */
function withoutLead(line: string): { readonly text: string; readonly isBullet: boolean } {
  let text = line.trim();
  let isBullet = false;
  for (let taken = 0; taken < maxLead; taken += 1) {
    const lead = /^(?:(?<bullet>[-*+•]|\d{1,3}[.)])\s+|>\s?|#{1,6}\s+)/.exec(text);
    if (lead === null) break;
    isBullet ||= lead.groups?.['bullet'] !== undefined;
    text = text.slice(lead[0].length).trimStart();
  }
  return { text, isBullet };
}
