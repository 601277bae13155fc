import { mkdtemp, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { failed, passed, type Check } from './check.ts';

const name = 'codex home';

/** Whether CODEX_HOME is a folder to write in; one that is missing is fine where it can be made. */
export async function checkHome(codexHome: string): Promise<Check> {
  let at = codexHome;
  try {
    while (!(await isFolder(at))) at = dirname(at);
    // Only writing proves it: access() tells root nothing, and a read-only mount nobody.
    await rmdir(await mkdtemp(join(at, '.capstan-check-')));
  } catch (error) {
    // Whatever the system objects to (a file in the way, permissions, a read-only mount, a full disk), it cannot be used.
    if (!(error instanceof Error && 'code' in error)) throw error;
    const message = `CODEX_HOME, ${codexHome}, cannot be written to (${String(error.code)} at ${at}).`;
    const hint = 'Correct its permissions, or set codex.home (or CAPSTAN_DATA) to a folder of your own.';
    return failed(name, new AppError('configuration', 'codex_home_unusable', message, { hint }));
  }
  return passed(name, at === codexHome ? codexHome : `${codexHome} (will be made)`);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) throw Object.assign(new Error(`${path} is a file`), { code: 'ENOTDIR' });
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
