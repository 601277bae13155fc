import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { hasErrno } from '../runtime/app-error.ts';

/** The program of this name that comes first on PATH; null where none does. */
export function onPath(name: string, path: string): string | null {
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name];
  // A relative entry would find a program in the current folder, which may be anybody's.
  for (const folder of path.split(delimiter).filter((entry) => isAbsolute(entry))) {
    for (const one of names) {
      const found = asProgram(join(folder, one));
      if (found !== null) return found;
    }
  }
  return null;
}

/** The path itself where it is a program. */
export function asProgram(path: string): string | null {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? path : null;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG')) return null;
    throw error;
  }
}
