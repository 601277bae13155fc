import { AppError } from '../../runtime/app-error.ts';

export interface Diagram {
  /** What the diagram's file is called, without extension. */
  readonly name: string;
  /** Of one without a name: how many of those are before it in the file, and what they are called after. */
  readonly unnamed: { readonly stem: string; readonly before: number } | null;
  /** From its `@start…` line to its `@end…` line, no line break at the end. */
  readonly text: string;
  /** The number of its first line in the file, from 1. */
  readonly firstLine: number;
}

/** Takes the diagrams out of a file. Throws kind `user`: `no_diagram`, `diagram_not_closed`, `reserved_line`, `duplicate_name`. */
export function splitDiagrams(file: string, content: string): readonly Diagram[] {
  const stem = file.slice(file.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  const diagrams: Diagram[] = [];
  let open: { readonly firstLine: number; readonly name: string | null; readonly lines: string[] } | null =
    null;
  const lines = content.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  for (const [index, line] of lines.entries()) {
    const start = /^\s*@start[a-z]+(?<rest>.*)$/i.exec(line);
    if (open === null) {
      if (start === null) continue;
      open = { firstLine: index + 1, name: nameIn(start.groups?.['rest'] ?? ''), lines: [line.trim()] };
      continue;
    }
    if (start !== null) throw notClosed(file, open.firstLine);
    if (line.startsWith('@@@')) throw reserved(file, index + 1);
    if (!/^\s*@end/i.test(line)) {
      open.lines.push(line);
      continue;
    }
    open.lines.push(line.trim());
    const { name, firstLine } = open;
    const unnamed =
      name === null ? { stem, before: diagrams.filter((each) => each.unnamed !== null).length } : null;
    const text = open.lines.join('\n');
    diagrams.push({ name: name ?? numbered(stem, unnamed?.before ?? 0), unnamed, text, firstLine });
    open = null;
  }
  if (open !== null) throw notClosed(file, open.firstLine);
  if (diagrams.length === 0) throw noDiagram(file);
  const names = diagrams.map(({ name }) => name.toLowerCase());
  const twice = diagrams.find(({ name }, index) => names.indexOf(name.toLowerCase()) !== index);
  if (twice !== undefined) throw duplicateName(file, twice);
  return diagrams;
}

/** The name of a diagram where those before it in the file have so many pages more than one each. */
export function nameAfter({ name, unnamed }: Diagram, pagesBefore: number): string {
  return unnamed === null ? name : numbered(unnamed.stem, unnamed.before + pagesBefore);
}

function numbered(stem: string, count: number): string {
  return count === 0 ? stem : `${stem}_${String(count).padStart(3, '0')}`;
}

/** The name after `@startuml`, as a file name: an image's extension is dropped, no part leads up or out. */
function nameIn(rest: string): string | null {
  const name = rest
    .replace(/^\s*\([^)]*\)/, '')
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .replace(/\.(?:png|svg|puml|pu)$/i, '');
  const parts = name.split(/[/\\]/).filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts.length === 0 ? null : parts.join('/');
}

function notClosed(file: string, line: number): AppError {
  return new AppError(
    'user',
    'diagram_not_closed',
    `${file}, line ${String(line)}: this diagram has no @end line.`,
    {
      hint: 'End it with @enduml, or the @end word that belongs to its @start.',
    },
  );
}

function reserved(file: string, line: number): AppError {
  return new AppError(
    'user',
    'reserved_line',
    `${file}, line ${String(line)}: a line may not begin with @@@.`,
    {
      hint: 'Put a space before it.',
    },
  );
}

function noDiagram(file: string): AppError {
  return new AppError('user', 'no_diagram', `${file} holds no diagram.`, {
    hint: 'A diagram begins with @startuml and ends with @enduml.',
  });
}

function duplicateName(file: string, { name, firstLine }: Diagram): AppError {
  return new AppError(
    'user',
    'duplicate_name',
    `${file}, line ${String(firstLine)}: a second diagram is called ${name}.`,
    { hint: 'Give each diagram a name of its own after @startuml.' },
  );
}
