import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { AppError, hasErrno } from '../runtime/app-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The provider keys that seed the default profile; nothing else is taken from a `.env` file. */
const providerKeyNames = ['OPENAI_API_KEY'] as const;

/**
 * The process's environment, and below it the provider keys of the `.env` file in `cwd`. That file gives no settings:
 * it comes with a folder that may be somebody else's. Throws `env_file_unreadable` where it is there and cannot be read.
 */
export function readEnvironment(cwd: string): Environment {
  const fromFile = readEnvFile(join(cwd, '.env'));
  const environment: Record<string, string | undefined> = { ...process.env };
  for (const name of providerKeyNames) {
    if (isUnset(environment[name]) && fromFile[name] !== undefined) environment[name] = fromFile[name];
  }
  return Object.freeze(environment);
}

/** Whether the text of a `.env` file gives a provider key. */
export function givesProviderKey(text: string): boolean {
  const given = parseEnv(text);
  return providerKeyNames.some((name) => !isUnset(given[name]));
}

/** Container tools hand an unset variable on as an empty one: both mean unset. */
export function isUnset(value: string | undefined): value is undefined | '' {
  return value === undefined || value.trim() === '';
}

function readEnvFile(path: string): Environment {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    // A folder named `.env` is a Python environment.
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return {};
    throw new AppError('configuration', 'env_file_unreadable', `${path} cannot be read`, {
      hint: 'Make it readable, or set OPENAI_API_KEY in the environment and move the file away.',
      cause: error,
    });
  }
}
