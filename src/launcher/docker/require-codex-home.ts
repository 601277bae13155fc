import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { Config } from '../../config/settings.ts';
import { AppError } from '../../runtime/app-error.ts';

/** Throws `codex_home_missing` where a folder outside the data folder is not there: a process would make it, a container has only what is mounted. */
export function requireCodexHome({ dataDir, codex: { home, auth } }: Config): void {
  if (existsSync(home) || !relative(dataDir, home).startsWith('..')) return;
  const logIn = auth === 'home' ? `, and log in: \`CODEX_HOME=${home} codex login\`` : '';
  throw new AppError('configuration', 'codex_home_missing', `codex.home, ${home}, is not there.`, {
    hint: `Make it as the owner of the data folder ${dataDir}${logIn}.`,
  });
}
