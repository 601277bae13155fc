import { AppError } from '../../runtime/app-error.ts';
import type { Diagram } from './split-diagrams.ts';

const directive =
  /^\s*!(?:include(?:url|_many|_once|sub|def)?|import|theme\s+\S+\s+from)\s+(?<target>.+?)\s*$/i;

/**
 * Refuses an include of a URL or of a file outside the source, by name, before the tool sees it (kind `user`, `include_refused`).
 * This is for the message: what holds is the jail. Where there is no jail, `strict` also refuses what only the tool could work out.
 */
export function checkIncludes(
  file: string,
  { text, firstLine }: Diagram,
  { strict }: { readonly strict: boolean },
): void {
  const folders = file.split('/').length - 1;
  for (const [index, line] of text.split('\n').entries()) {
    const target = targetIn(line);
    if (target === null) continue;
    const why = reason(target, folders, strict);
    if (why === null) continue;
    throw new AppError(
      'user',
      'include_refused',
      `${file}, line ${String(firstLine + index)}: ${target} ${why}.`,
      { hint: 'Put the file into the source, and include it by its relative path.' },
    );
  }
}

/** What a text includes beside the tool's own library, as it is written there. */
export function includedTargets(text: string): readonly string[] {
  return text
    .split(/\r\n|\r|\n/)
    .map(targetIn)
    .filter((target) => target !== null);
}

function targetIn(line: string): string | null {
  const target = directive.exec(line)?.groups?.['target']?.replace(/^["']|["']$/g, '');
  return target === undefined || /^<.*>$/.test(target) ? null : target;
}

function reason(target: string, folders: number, strict: boolean): string | null {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(target)) return 'is a URL, and nothing is fetched';
  if (/^(?:[/\\~]|[a-z]:)/i.test(target)) return 'lies outside the source';
  let depth = folders;
  for (const part of target.split('!')[0]?.split(/[/\\]/) ?? []) {
    if (part === '..') depth -= 1;
    else if (part !== '.' && part !== '') depth += 1;
    if (depth < 0) return 'lies outside the source';
  }
  return strict && /[$%]/.test(target)
    ? 'is not a plain path, which is refused on a machine without namespaces'
    : null;
}
