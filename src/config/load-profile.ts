import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../runtime/app-error.ts';
import { Secret } from '../runtime/secret.ts';
import { givesProviderKey, isUnset, type Environment } from './environment.ts';

/** The keys that seed the default profile; null where the environment has none. */
export interface ProfileSeed {
  readonly openaiApiKey: Secret | null;
  /** Files of the user's that may hold a key or a login: no agent reads them. They need not exist. */
  readonly keyFiles?: readonly string[];
}

/** @param keyFiles see `ProfileSeed` */
export function loadProfile(environment: Environment, keyFiles: readonly string[] = []): ProfileSeed {
  const key = environment['OPENAI_API_KEY'];
  return Object.freeze({ openaiApiKey: isUnset(key) ? null : new Secret(key.trim()), keyFiles });
}

/** The `.env` in `cwd` where it gives a provider key, and the logins of the user's own Codex. */
export function findKeyFiles(
  environment: Environment,
  { cwd, home }: { readonly cwd: string; readonly home: string },
): readonly string[] {
  const own = environment['CODEX_HOME'];
  const logins = [join(home, '.codex'), ...(isUnset(own) ? [] : [own])].map((folder) =>
    join(folder, 'auth.json'),
  );
  const envFile = join(cwd, '.env');
  return givesKey(envFile) ? [envFile, ...logins] : logins;
}

function givesKey(path: string): boolean {
  try {
    return givesProviderKey(readFileSync(path, 'utf8'));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES')) return false;
    throw error;
  }
}
