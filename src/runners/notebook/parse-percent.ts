import { createHash } from 'node:crypto';
import { AppError } from '../../runtime/app-error.ts';

interface Cell {
  readonly kind: 'code' | 'markdown' | 'raw';
  readonly lines: string[];
}

/** A notebook in the format that nbconvert reads (4.5), one JSON value. */
export type Notebook = Readonly<Record<string, unknown>>;

const marker = /^#\s*%%+(?<rest>.*)$/;

/**
 * A script with `# %%` cells as a notebook. Markdown cells (`# %% [markdown]`) are comments or one string in triple quotes; commented
 * magics (`# %matplotlib inline`) run. The same text gives the same notebook. Throws `no_cells` (user).
 */
export function parsePercent(file: string, text: string): Notebook {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  const { kernel, start } = readHeader(lines);
  const cells: Cell[] = [];
  let open: Cell = { kind: 'code', lines: [] };
  let marked = false;
  const close = (): void => {
    trimBlank(open.lines);
    if (open.lines.length > 0) cells.push(open);
  };
  for (const line of lines.slice(start)) {
    const rest = marker.exec(line)?.groups?.['rest'];
    if (rest === undefined) {
      open.lines.push(line);
      continue;
    }
    close();
    marked = true;
    open = { kind: kindOf(rest), lines: [] };
  }
  close();
  if (!marked || cells.length === 0) {
    throw new AppError('user', 'no_cells', `${file} holds no cells.`, {
      hint: 'A cell begins with a line `# %%`, one of text with `# %% [markdown]`.',
    });
  }
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: kernel ?? 'python3', display_name: kernel ?? 'Python 3', language: 'python' },
      language_info: {
        name: 'python',
        file_extension: '.py',
        mimetype: 'text/x-python',
        pygments_lexer: 'ipython3',
      },
    },
    cells: cells.map(toCell),
  };
}

function kindOf(rest: string): Cell['kind'] {
  if (/\[(?:markdown|md)\]/i.test(rest)) return 'markdown';
  return /\[raw\]/i.test(rest) ? 'raw' : 'code';
}

/** The comment block of metadata that Jupytext writes, and the kernel that it names. */
function readHeader(lines: readonly string[]): { readonly kernel: string | null; readonly start: number } {
  const first = lines.findIndex((line) => line.trim() !== '' && !line.startsWith('#!'));
  if (first === -1 || !/^#\s*---\s*$/.test(lines[first] ?? '')) return { kernel: null, start: 0 };
  const end = lines.findIndex((line, index) => index > first && /^#\s*---\s*$/.test(line));
  if (end === -1) return { kernel: null, start: 0 };
  const header = lines.slice(first, end).join('\n');
  const kernel = /kernelspec:(?:\n#\s{4,}.*)*?\n#\s+name:\s*(?<name>[A-Za-z0-9._-]+)/.exec(header)?.groups?.[
    'name'
  ];
  return { kernel: kernel ?? null, start: end + 1 };
}

function trimBlank(lines: string[]): void {
  while (lines.length > 0 && lines[0]?.trim() === '') lines.shift();
  while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop();
}

function toCell({ kind, lines }: Cell, index: number): Notebook {
  const source = (kind === 'code' ? lines.map(runMagic) : uncomment(lines)).join('\n');
  const id = createHash('sha256')
    .update(`${String(index)}:${source}`)
    .digest('hex')
    .slice(0, 8);
  const cell = { cell_type: kind, id, metadata: {}, source };
  return kind === 'code' ? { ...cell, execution_count: null, outputs: [] } : cell;
}

function runMagic(line: string): string {
  return /^# (?:%{1,2}[a-z]|!\S)/i.test(line) ? line.slice(2) : line;
}

function uncomment(lines: readonly string[]): readonly string[] {
  const all = lines.join('\n').trim();
  const quoted = /^(?:r|f|u)?("""|''')(?<text>[\s\S]*)\1$/i.exec(all)?.groups?.['text'];
  if (quoted !== undefined) return quoted.replace(/^\n|\n$/g, '').split('\n');
  return lines.map((line) => line.replace(/^# ?/, ''));
}
