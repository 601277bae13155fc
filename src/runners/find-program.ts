import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Config } from '../config/settings.ts';
import { AppError } from '../runtime/app-error.ts';
import { checkCommand } from '../supervisor/check-command.ts';

/** The absolute path of the first of these programs that is on PATH; null where none is. */
export async function findProgram(names: string | readonly string[], path: string): Promise<string | null> {
  for (const command of typeof names === 'string' ? [names] : names) {
    try {
      return await checkCommand({ command, env: { PATH: path }, cwd: '/' });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }
  return null;
}

/** Where tools are looked for: what the settings name, else PATH. */
export interface ToolPlaces extends Partial<Pick<Config['tools'], SetTool>> {
  readonly path: string;
}
type SetTool = 'java' | 'plantuml' | 'dot' | 'jupyter' | 'drawio' | 'chromium';

/** The program that a setting names, else the first of `names` on PATH; null where none is. Throws `tool_missing` (configuration) where the setting is wrong. */
export async function findTool(
  places: ToolPlaces,
  setting: Exclude<SetTool, 'plantuml'>,
  names: string | readonly string[],
): Promise<string | null> {
  const set = places[setting] ?? null;
  if (set === null) return findProgram(names, places.path);
  return (await findProgram(set, places.path)) ?? toolMissing(setting, set);
}

export function toolMissing(setting: SetTool, set: string): never {
  throw new AppError(
    'configuration',
    'tool_missing',
    `tools.${setting} is ${set}, where there is no such program.`,
    {
      hint: `Correct tools.${setting}, or leave it out for the one that is installed.`,
    },
  );
}

/** The folders that a jailed program needs beside the system's: those of a package of its own, such as /opt/jdk for /opt/jdk/bin/java. */
export async function packageFolders(...files: readonly (string | null)[]): Promise<readonly string[]> {
  const folders = new Set<string>();
  for (const file of files) {
    if (file === null) continue;
    const found = dirname(await realpath(file));
    const folder = basename(found) === 'bin' ? dirname(found) : found;
    if (!/^\/(?:usr|bin|sbin|lib\w*)(?:\/|$)/.test(folder)) folders.add(folder);
    // A link from elsewhere is followed by name, too.
    if (!/^\/(?:usr|bin|sbin|lib\w*)(?:\/|$)/.test(dirname(file))) folders.add(dirname(file));
  }
  return [...folders];
}
