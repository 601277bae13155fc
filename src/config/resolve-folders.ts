import { dirname, isAbsolute, join, resolve } from 'node:path';
import { findUpwards } from './find-upwards.ts';
import { layerNames, type Origin } from './layer.ts';
import type { PlatformPaths } from './platform-paths.ts';
import type { Folders } from './setting.ts';

/** A setting's value with who said it. */
export interface Resolved {
  readonly value: unknown;
  readonly origin: Origin;
}

/** A path as it was written, made absolute. */
export function resolvePath(path: string, baseDir: string, home: string): string {
  if (path === '~') return home;
  if (/^~[/\\]/.test(path)) return join(home, path.slice(2));
  return isAbsolute(path) ? resolve(path) : resolve(baseDir, path);
}

interface Place {
  readonly cwd: string;
  readonly paths: PlatformPaths;
}

/**
 * The data folder and the database. A `db_path` said more strongly than `data_dir` takes its own folder along, so that
 * both stay one place. Returns the folders and what `data_dir` came from where its own value does not count.
 */
export function resolveFolders(
  given: ReadonlyMap<string, Resolved>,
  { cwd, paths }: Place,
): { readonly folders: Folders; readonly dataDirOrigin: Origin | null } {
  const dataDir = given.get('data_dir');
  const dbPath = given.get('db_path');
  if (typeof dbPath?.value === 'string' && strength(dbPath) > strength(dataDir)) {
    const folders = { dataDir: dirname(dbPath.value), dbPath: dbPath.value };
    return { folders, dataDirOrigin: dbPath.origin };
  }
  const folder =
    typeof dataDir?.value === 'string'
      ? dataDir.value
      : (findUpwards(cwd, '.capstan', 'folder') ?? paths.userDataDir);
  return { folders: { dataDir: folder, dbPath: join(folder, 'capstan.db') }, dataDirOrigin: null };
}

function strength(resolved: Resolved | undefined): number {
  return -layerNames.indexOf(resolved?.origin.layer ?? 'default');
}
