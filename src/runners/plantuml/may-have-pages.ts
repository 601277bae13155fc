import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { hasErrno } from '../../runtime/app-error.ts';
import { includedTargets } from './check-includes.ts';

export interface PagesPlace {
  /** Holds the source's files. */
  readonly stage: string;
  /** Of these, with `/`. */
  readonly files: readonly string[];
  /** The folder of the diagram's file, inside the stage. */
  readonly folder: string;
}

const newpage = /^[ \t]*newpage\b/im;

/** Whether a diagram, or a file that it includes, says `newpage`. Where a name is put together only as it is drawn, any file counts as included. */
export async function mayHavePages(text: string, { stage, files, folder }: PagesPlace): Promise<boolean> {
  const seen = new Set<string>();
  const open = [{ text, folder }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (newpage.test(next.text)) return true;
    const included = includedTargets(next.text).flatMap((target) =>
      /[$%()]/.test(target) ? files : filesNamed(target, [next.folder, folder]),
    );
    for (const file of included) {
      if (seen.has(file) || !files.includes(file)) continue;
      seen.add(file);
      open.push({ text: await textOf(join(stage, file)), folder: posix.dirname(file) });
    }
  }
  return false;
}

/** `x.puml!2` and `x.puml!NAME` are parts of a file. A name is looked up beside the file that says it, or beside the diagram's. */
function filesNamed(target: string, folders: readonly string[]): readonly string[] {
  const name = target.replace(/!.*$/, '').replaceAll('\\', '/');
  return folders.map((folder) => posix.normalize(`${folder}/${name}`));
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    // The tool says what is wrong with it.
    if (hasErrno(error, 'ENOENT', 'EISDIR', 'ENOTDIR')) return '';
    throw error;
  });
}
