import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasErrno } from '../runtime/app-error.ts';

/** The nearest `relative` in `from` or a folder above it, or null. */
export function findUpwards(from: string, relative: string, kind: 'file' | 'folder'): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, relative);
    if (isThere(candidate, kind)) return candidate;
    if (dirname(folder) === folder) return null;
  }
}

function isThere(path: string, kind: 'file' | 'folder'): boolean {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isDirectory() === (kind === 'folder');
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'ENOTDIR', 'ELOOP')) return false;
    throw error;
  }
}
