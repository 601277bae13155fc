import { join } from 'node:path';
import { Secret } from '../runtime/secret.ts';
import type { Environment, ReadEnvironment } from './environment.ts';
import { isUnset } from './is-unset.ts';
import { fileVariable } from './secret-file.ts';

/** The keys that seed the default profile; null where the environment has none. */
export interface ProfileSeed {
  readonly openaiApiKey: Secret | null;
  /** The file that it was read from, which whoever starts workers may hand on instead of the key; null where it has none. */
  readonly openaiApiKeyFile?: string | null;
  /** Files of the user's that may hold a key or a login: no agent reads them. They need not exist. */
  readonly keyFiles?: readonly string[];
  /** Which proxy leads to the provider: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in any case, as they are set. */
  readonly through?: Readonly<Record<string, string>>;
}

/** @param keyFiles see `ProfileSeed` */
export function loadProfile(environment: Environment, keyFiles: readonly string[] = []): ProfileSeed {
  const key = environment['OPENAI_API_KEY'];
  const openaiApiKey = isUnset(key) ? null : new Secret(key.trim());
  const openaiApiKeyFile = keyFileOf(environment, 'OPENAI_API_KEY');
  return Object.freeze({ openaiApiKey, openaiApiKeyFile, keyFiles, through: proxiesOf(environment) });
}

function keyFileOf(environment: Environment, name: string): string | null {
  const file = environment[fileVariable(name)];
  return isUnset(file) ? null : file;
}

function proxiesOf(environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      /^(?:https?|no)_proxy$/i.test(name) && !isUnset(value) ? [[name, value] as const] : [],
    ),
  );
}

/** The files that give the provider keys, and the logins of the user's own Codex. */
export function findKeyFiles({ environment, keyFiles }: ReadEnvironment, home: string): readonly string[] {
  const own = environment['CODEX_HOME'];
  const logins = [join(home, '.codex'), ...(isUnset(own) ? [] : [own])].map((folder) =>
    join(folder, 'auth.json'),
  );
  return [...keyFiles, ...logins];
}
