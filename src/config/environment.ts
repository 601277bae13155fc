import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { isUnset } from './is-unset.ts';
import { fileVariable, readSecretFile, secretFilePath } from './secret-file.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The provider keys that seed the default profile; nothing else is taken from a `.env` file, or from whoever started this worker. */
const providerKeyNames = ['OPENAI_API_KEY'] as const;

export interface ReadEnvironment {
  readonly environment: Environment;
  /** The files that give a provider key: those that the environment names, and `.env`. */
  readonly keyFiles: readonly string[];
}

/**
 * The process's environment with the provider keys of the files that `NAME_FILE` names, whose paths are absolute then, and below it those
 * of the `.env` file in `cwd`. That file gives no settings: it comes with a folder that may be somebody else's. It is read once: it may be a
 * pipe that gives it only then. What a worker's launcher has `handed` over goes before all. Throws `env_file_unreadable` where `.env` is
 * there and cannot be read, and what `readSecretFile` throws.
 */
export function readEnvironment(cwd: string, handed: Environment = {}): ReadEnvironment {
  const file = join(cwd, '.env');
  const fromFile = readEnvFile(file);
  const environment: Record<string, string | undefined> = { ...process.env };
  const named: string[] = [];
  for (const name of providerKeyNames) {
    const path = secretFilePath(environment, name, cwd);
    if (path !== null) named.push(path);
    environment[name] = handed[name] ?? findKey(environment, name, { cwd, fromFile });
    if (path !== null) environment[fileVariable(name)] = path;
  }
  const keyFiles = givesKey(fromFile) ? [...named, file] : named;
  return { environment: Object.freeze(environment), keyFiles };
}

interface KeyPlaces {
  readonly cwd: string;
  /** What `.env` says. */
  readonly fromFile: Environment;
}

function findKey(environment: Environment, name: string, { cwd, fromFile }: KeyPlaces): string | undefined {
  const own = readSecretFile(environment, name, cwd)?.value ?? environment[name];
  return isUnset(own) ? (fromFile[name] ?? own) : own;
}

/** Whether the text of a `.env` file gives a provider key. */
export function givesProviderKey(text: string): boolean {
  return givesKey(parseEnv(text));
}

function givesKey(given: Environment): boolean {
  return providerKeyNames.some((name) => !isUnset(given[name]));
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
