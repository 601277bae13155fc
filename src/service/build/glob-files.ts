import { glob, readdir } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';

/** Folders that hold no input of anybody. */
const never = new Set(['.git', '.capstan', 'node_modules']);

/** Files that fit a pattern, relative to `root`, with `/`, sorted. `exclude` are folders relative to `root`. */
export async function globFiles(
  pattern: string,
  { root, exclude }: { readonly root: string; readonly exclude: readonly string[] },
): Promise<readonly string[]> {
  const found: string[] = [];
  const entries = glob(isAbsolute(pattern) ? relative(root, pattern) : pattern, {
    cwd: root,
    withFileTypes: true,
    exclude: (entry) => never.has(entry.name),
  });
  for await (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = relative(root, `${entry.parentPath}${sep}${entry.name}`).replaceAll(sep, '/');
    if (!exclude.some((folder) => path.startsWith(`${folder}/`))) found.push(path);
  }
  return [...new Set(found)].sort();
}

/** All files under a folder, relative to `root`, with `/`, sorted. */
export async function filesUnder(
  folder: string,
  { root, exclude }: { readonly root: string; readonly exclude: readonly string[] },
): Promise<readonly string[]> {
  const found: string[] = [];
  const folders = [join(root, folder)];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      const shown = relative(root, path).replaceAll(sep, '/');
      // A copy of the folder has its node_modules, too: the result depends on them.
      if (entry.name === '.git' || entry.name === '.capstan' || exclude.includes(shown)) continue;
      if (entry.isDirectory()) folders.push(path);
      else found.push(shown);
    }
  }
  return found.sort();
}
