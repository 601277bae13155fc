import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve, sep } from 'node:path';
import { AppError } from '../runtime/app-error.ts';

interface CommandSpec {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/**
 * The absolute path of a command, before anything is started: under a PID namespace a missing program would only be an exit code 127.
 * Rejects with `command_not_found`, `command_not_executable` or `folder_not_found`, kind configuration, naming what is missing.
 */
export async function checkCommand(spec: CommandSpec): Promise<string> {
  const { command, cwd } = spec;
  if (!(await isFolder(cwd))) {
    throw new AppError(
      'configuration',
      'folder_not_found',
      `The folder ${cwd} to run ${command} in does not exist.`,
    );
  }
  let refused: string | null = null;
  for (const path of candidates(spec)) {
    const found = await look(path);
    if (found === 'executable') return path;
    if (found === 'refused') refused ??= path;
  }
  if (refused !== null) {
    throw new AppError('configuration', 'command_not_executable', `${refused} may not be executed.`, {
      hint: 'Check that it is a program and its permissions (chmod +x).',
      details: { command },
    });
  }
  throw new AppError('configuration', 'command_not_found', `The command ${command} was not found.`, {
    hint: isAbsolute(command) ? 'Check the configured path.' : 'Install it, or configure its full path.',
    details: { command, path: spec.env['PATH'] ?? '' },
  });
}

function candidates({ command, env, cwd }: CommandSpec): readonly string[] {
  if (command.includes(sep)) return [resolve(cwd, command)];
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(resolve(cwd, folder), command));
}

async function look(path: string): Promise<'executable' | 'refused' | 'missing'> {
  const found = await stat(path).catch(() => null);
  if (found === null) return 'missing';
  if (!found.isFile()) return 'refused';
  return access(path, constants.X_OK).then(
    () => 'executable',
    () => 'refused',
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
