import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { AppError, hasErrno } from '../runtime/app-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The provider keys that seed the default profile; nothing else is taken from a `.env` file. */
const providerKeyNames = ['OPENAI_API_KEY'] as const;

export interface ReadEnvironment {
  readonly environment: Environment;
  /** The `.env` file where it gives a provider key, else null. */
  readonly keyFile: string | null;
}

/**
 * The process's environment, and below it the provider keys of the `.env` file in `cwd`. That file gives no settings:
 * it comes with a folder that may be somebody else's. It is read once: it may be a pipe that gives it only then.
 * Throws `env_file_unreadable` where it is there and cannot be read.
 */
export function readEnvironment(cwd: string): ReadEnvironment {
  const file = join(cwd, '.env');
  const fromFile = readEnvFile(file);
  const environment: Record<string, string | undefined> = { ...process.env };
  for (const name of providerKeyNames) {
    if (isUnset(environment[name]) && fromFile[name] !== undefined) environment[name] = fromFile[name];
  }
  return { environment: Object.freeze(environment), keyFile: givesKey(fromFile) ? file : null };
}

/** Whether the text of a `.env` file gives a provider key. */
export function givesProviderKey(text: string): boolean {
  return givesKey(parseEnv(text));
}

function givesKey(given: Environment): boolean {
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
