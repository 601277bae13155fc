import { extname } from 'node:path';
import { listTree } from '../../artifacts/list-tree.ts';
import { AppError } from '../../runtime/app-error.ts';

export interface WantedFiles {
  /** Those that the job names; undefined where it names none. */
  readonly files: readonly string[] | undefined;
  readonly extensions: readonly string[];
  readonly picked: readonly string[];
  readonly maxFileBytes: number;
}

/** The files of a source to convert, in order. Throws kind `user`: `no_files`, `file_missing`, `file_empty`, `file_too_large`. */
export async function findFiles(
  source: string,
  wanted: WantedFiles,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const tree = await listTree(source, { signal, blame: 'infrastructure' });
  const sizes = new Map(
    tree.entries.flatMap((entry) => (entry.kind === 'file' ? [[entry.path, entry.sizeBytes] as const] : [])),
  );
  // A source of one file is that file, whatever it is called.
  const all = [...sizes.keys()];
  const picked = all.filter((path) => wanted.picked.includes(extensionOf(path)));
  const files = wanted.files ?? (all.length === 1 ? all : picked);
  const expected = wanted.extensions.join(', ');
  if (files.length === 0) {
    throw new AppError('user', 'no_files', `The source holds no file to convert (${expected}).`, {
      hint: 'Name the files in `files`, or give a folder that holds some.',
    });
  }
  for (const file of files) {
    const sizeBytes = sizes.get(file);
    if (sizeBytes === undefined) {
      throw new AppError('user', 'file_missing', `The source holds no file ${file}.`, {
        hint: 'Check `files`: paths are relative to the source; a link is not a file.',
      });
    }
    if (!wanted.extensions.includes(extensionOf(file))) {
      throw new AppError(
        'user',
        'file_type',
        `${file} is none of the files that this tool reads (${expected}).`,
        {
          hint: 'Rename it, or choose another job type.',
        },
      );
    }
    if (sizeBytes === 0) {
      throw new AppError('user', 'file_empty', `${file} is empty.`, {
        hint: 'Put something into it, or leave it out.',
      });
    }
    if (sizeBytes > wanted.maxFileBytes) {
      const limit = `${String(Math.round(wanted.maxFileBytes / 1024))} KiB`;
      throw new AppError('user', 'file_too_large', `${file} is larger than the ${limit} that are taken.`, {
        hint: 'Split it.',
      });
    }
  }
  return files;
}

function extensionOf(path: string): string {
  return extname(path).toLowerCase();
}
