import { stripVTControlCharacters } from 'node:util';
import { AppError } from '../../runtime/app-error.ts';
import type { ConverterResult } from './run-converter.ts';

type Refusal = Extract<ConverterResult, { readonly ok: false }>;

const maxTraceChars = 4_000;

/** What `convert.py` says went wrong, as an error that names the file and the cell (counted from 1, text cells too). */
export function toNotebookError(file: string, { code, message, cell }: Refusal): AppError {
  const at = cell === null ? file : `${file}, cell ${String(cell)}`;
  const text = clean(message);
  if (isNoRoom(text)) {
    return new AppError('infrastructure', 'disk_full', `${at}: the disk is full: ${text}`, {
      hint: 'Free some space on the disk of the data folder, or let the cell write less; then: capstan jobs retry.',
    });
  }
  switch (code) {
    case 'cell_failed':
      return new AppError('user', code, `${at}: ${text}`, {
        hint: 'Correct the cell, or do not run the notebook.',
      });
    case 'cell_timeout':
      return new AppError('timeout', code, `${at} took too long.`, {
        hint: 'Give cells more time with `cellTimeoutMs`, or let it do less.',
      });
    case 'kernel_died':
      return new AppError('user', code, `${at}: the kernel ended in this cell.`, {
        hint: 'The cell ends its process, or needs more memory than there is.',
      });
    case 'output_too_large':
      return new AppError('user', code, `${at} prints more than a notebook can hold.`, {
        hint: 'Print less.',
      });
    case 'kernel_missing':
      return new AppError('configuration', code, `${file}: there is no kernel named ${text} here.`, {
        hint: 'Install it where the worker runs, or name another with `kernel`. For python3: apt-get install python3-ipykernel',
      });
    case 'notebook_invalid':
      return new AppError('user', code, `${file} is not a notebook: ${text}`, {
        hint: 'Open it in Jupyter and save it again.',
      });
    default:
      return new AppError(
        'infrastructure',
        'conversion_failed',
        `${file} could not be converted: ${text.split('\n').at(-1) ?? ''}`,
        {
          hint: 'This may be a fault of Jupyter; try `jupyter nbconvert` by hand.',
        },
      );
  }
}

/** ENOSPC and EDQUOT, as Python names them: in the last line of a traceback, or the first of a cell's error. */
function isNoRoom(text: string): boolean {
  const lines = text.split('\n');
  return [lines[0], lines.at(-1)].some((line = '') => /^OSError: \[Errno (?:28|122)\]/.test(line));
}

/** The end of a long traceback says more than its start; the first line is what happened. */
function clean(message: string): string {
  const plain = stripVTControlCharacters(message).trim();
  if (plain.length <= maxTraceChars) return plain;
  const first = plain.split('\n', 1)[0]?.slice(0, 500) ?? '';
  return `${first}\n…\n${plain.slice(first.length - maxTraceChars)}`;
}
