import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { isUnset } from './is-unset.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const maxBytes = 64 * 1024;

/** `NAME_FILE` names the file that holds the secret `NAME`, as Compose and Kubernetes hand them over. */
export function fileVariable(name: string): string {
  return `${name}_FILE`;
}

/** The absolute path of the file that `NAME_FILE` names; null where it names none. */
export function secretFilePath(environment: Environment, name: string, cwd: string): string | null {
  const said = environment[fileVariable(name)];
  return isUnset(said) ? null : resolve(cwd, said.trim());
}

export interface SecretFile {
  readonly value: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * What the file that `NAME_FILE` names holds, without the white space around it; null where no file is named. Throws
 * `secret_said_twice` where `NAME` is set as well, and `secret_file_unusable` where the file is missing, unreadable, empty or no text file.
 */
export function readSecretFile(environment: Environment, name: string, cwd: string): SecretFile | null {
  const variable = fileVariable(name);
  const path = secretFilePath(environment, name, cwd);
  if (path === null) return null;
  if (!isUnset(environment[name])) {
    throw new AppError('configuration', 'secret_said_twice', `${name} and ${variable} are both set.`, {
      hint: 'Unset one of them: it would not be clear which one counts.',
    });
  }
  const value = readText(path, variable).trim();
  if (value === '') throw unusable(path, variable, 'is empty');
  return { value, path };
}

function readText(path: string, variable: string): string {
  try {
    const found = statSync(path);
    // A pipe could be read only once, and this is read by each process that is started.
    if (!found.isFile()) throw unusable(path, variable, 'is not a file');
    if (found.size > maxBytes) throw unusable(path, variable, `is larger than ${String(maxBytes)} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) throw unusable(path, variable, 'is not there', error);
    if (hasErrno(error, 'EACCES', 'EPERM')) throw unusable(path, variable, 'may not be read', error);
    throw error;
  }
}

function unusable(path: string, variable: string, why: string, cause?: unknown): AppError {
  return new AppError('configuration', 'secret_file_unusable', `${path}, which ${variable} names, ${why}.`, {
    hint: 'Name a file that holds the secret alone and that the user of this process may read; in a container that is the owner of the data folder.',
    cause,
  });
}
