import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno } from '../runtime/app-error.ts';
import type { Problem } from './layer.ts';
import { namedSettings } from './named-settings.ts';
import { resolvePath, type Resolved } from './resolve-folders.ts';

interface Place {
  readonly cwd: string;
  readonly home: string;
  /** The project's `.capstan/config.toml`. */
  readonly projectFile: string;
}

/**
 * What a project's own file says although only a trusted project may. The file comes with the project, which may be somebody else's; a
 * value that a stronger layer overrides has no effect and is no problem. The home folder's own file is the user's.
 */
export function checkTrust(
  given: ReadonlyMap<string, Resolved>,
  { cwd, home, projectFile }: Place,
): readonly Problem[] {
  const project = dirname(dirname(projectFile));
  const said = given.get('trusted_projects');
  const trusted =
    said === undefined || said.origin.layer === 'project' ? [] : (said.value as readonly string[]);
  const folders = [home, ...trusted.map((path) => resolvePath(path, cwd, home))];
  if (folders.some((folder) => realPath(folder) === realPath(project))) return [];
  return namedSettings.flatMap(({ name, setting }) => {
    const origin = given.get(name)?.origin;
    if (setting.trustedOnly !== true || origin?.layer !== 'project') return [];
    const message = `is not taken from a project that you do not trust; if you do, set CAPSTAN_TRUSTED_PROJECTS=${project}, or trusted_projects in your own config.toml`;
    return [{ name, origin: origin.where, message }];
  });
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) throw error;
    return path;
  }
}
