import { statSync } from 'node:fs';
import path from 'node:path';
import { hasErrno } from '../runtime/app-error.ts';

/** When the login that is kept in CODEX_HOME was written, epoch milliseconds; null where there is none. Each process of Codex reads it once. */
export function loginChangedAtMs(codexHome: string): number | null {
  try {
    return statSync(path.join(codexHome, 'auth.json')).mtimeMs;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
