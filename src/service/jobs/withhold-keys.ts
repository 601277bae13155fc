import { basename, join } from 'node:path';
import { filesHolding } from '../../artifacts/files-holding.ts';
import { showName } from '../../artifacts/file-error.ts';
import { listTree, type Tree } from '../../artifacts/list-tree.ts';
import { ofKind } from '../../artifacts/copy-tree.ts';
import { readSmallFile, smallFileBytes } from '../../artifacts/read-small-file.ts';
import { givesProviderKey } from '../../config/environment.ts';
import { AppError } from '../../runtime/app-error.ts';
import type { Secret } from '../../runtime/secret.ts';

/** Shorter keys stand in ordinary files by chance. */
const minKeyLength = 8;
const shownFiles = 5;

/** `.env`, `.env.local`, `dev.env`: files that a project's programs read their secrets from and that are no part of its code. */
const isEnvFile = (path: string): boolean => /^\.env(?:\..+)?$|\.env$/.test(basename(path));

/**
 * What the agent's copy of a folder does not get: each `.env` that gives a provider's key, and the other environment files that hold ours.
 * Any other file may be needed for the work, so one that holds the key is refused as `source_holds_key` (kind `user`).
 */
export function withholdKeys(key: Secret | null): (tree: Tree) => Promise<readonly string[]> {
  return async (tree) => {
    const holding = await holdingKey(tree, key);
    const others = holding.filter((path) => !isEnvFile(path));
    if (others.length > 0) throw holdsKey(tree.root, others);
    return [...new Set([...holding, ...givingKey(tree)])].sort();
  };
}

/** Rejects with `source_holds_key` where a file of the copy holds the key that this worker has: whoever accepted the job had another, or none. */
export function refuseKeys(key: Secret | null): (sourceDir: string, signal: AbortSignal) => Promise<void> {
  return async (sourceDir, signal) => {
    if (key === null) return;
    const tree = await listTree(sourceDir, { signal, blame: 'infrastructure' });
    const holding = await holdingKey(tree, key, signal);
    if (holding.length > 0) throw holdsKey('the source', holding);
  };
}

async function holdingKey(tree: Tree, key: Secret | null, signal?: AbortSignal): Promise<readonly string[]> {
  const value = key?.reveal() ?? '';
  return value.length < minKeyLength ? [] : filesHolding(tree, Buffer.from(value), signal);
}

function givingKey(tree: Tree): readonly string[] {
  const buffer = Buffer.allocUnsafe(smallFileBytes);
  return ofKind(tree.entries, 'file').flatMap(({ path }) =>
    basename(path) === '.env' &&
    givesProviderKey(readSmallFile(join(tree.root, path), buffer).toString('utf8'))
      ? [path]
      : [],
  );
}

function holdsKey(where: string, files: readonly string[]): AppError {
  const more = files.length > shownFiles ? ` and ${String(files.length - shownFiles)} more` : '';
  const shown = files.slice(0, shownFiles).map(showName).join(', ') + more;
  return new AppError('user', 'source_holds_key', `The provider's key stands in ${shown} of ${where}.`, {
    hint: 'The agent would read it. Take it out of the file (an .env file is left out of the copy by itself), and replace the key if the file was ever shared.',
    details: { files: files.slice(0, 100) },
  });
}
