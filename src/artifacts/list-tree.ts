import type { Dirent } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FailureKind } from '../contract/failure.ts';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { eachBounded } from './each-bounded.ts';
import { showName } from './file-error.ts';
import { type ExcludeRules, isExcluded } from './tree-filter.ts';

/** `path` is relative to the tree's root with `/` between its parts; `mode` holds the permission bits alone. */
export type TreeEntry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      /** The original has a set-user-id, set-group-id or sticky bit, which no copy keeps. */
      readonly special: boolean;
      readonly sizeBytes: number;
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export type RefusalReason = 'fifo' | 'socket' | 'device' | 'unreadable' | 'name_not_utf8';

/** An entry that is there but that no tree of ours can hold. */
export interface RefusedEntry {
  readonly path: string;
  readonly reason: RefusalReason;
}

export interface Tree {
  readonly root: string;
  /** Sorted by path; a folder comes before what it holds. */
  readonly entries: readonly TreeEntry[];
  readonly refused: readonly RefusedEntry[];
}

export interface TreeLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

export const defaultTreeLimits: TreeLimits = { maxEntries: 200_000, maxBytes: 4 * 1024 ** 3 };

export interface ListOptions {
  readonly signal?: AbortSignal | undefined;
  readonly exclude?: ExcludeRules | undefined;
  readonly limits?: TreeLimits | undefined;
  /** Whose fault a tree beyond the limits is. */
  readonly blame?: FailureKind;
}

interface Name {
  readonly name: string;
  readonly dirent: Dirent | null;
}

export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
}

/** The names in a folder; `dirent` is null where the name is not UTF-8, and no string can lead to the entry. */
async function readNames(folder: string): Promise<readonly Name[]> {
  const dirents = await readdir(folder, { withFileTypes: true });
  if (!dirents.some(({ name }) => name.includes('\uFFFD'))) {
    return dirents.map((dirent) => ({ name: dirent.name, dirent }));
  }
  const broken = (await readdir(folder, { encoding: 'buffer' })).filter((name) => !isUtf8(name));
  const unreachable = new Set(broken.map((name) => name.toString('utf8')));
  return [
    ...dirents.filter(({ name }) => !unreachable.has(name)).map((dirent) => ({ name: dirent.name, dirent })),
    ...broken.map((name) => ({ name: name.toString('latin1'), dirent: null })),
  ];
}

function refusalOf(dirent: Dirent): RefusalReason | null {
  if (dirent.isFIFO()) return 'fifo';
  if (dirent.isSocket()) return 'socket';
  if (dirent.isBlockDevice() || dirent.isCharacterDevice()) return 'device';
  return null;
}

/**
 * Lists a folder without following any link. An entry that vanishes meanwhile is left out.
 * Throws `folder_too_large` beyond the limits; a system error where the root itself cannot be read.
 */
export async function listTree(root: string, options: ListOptions = {}): Promise<Tree> {
  const { signal, exclude = [], limits = defaultTreeLimits, blame = 'agent' } = options;
  const entries: TreeEntry[] = [];
  const refused: RefusedEntry[] = [];
  let bytes = 0;
  const tooLarge = (what: string): AppError =>
    new AppError(blame, 'folder_too_large', `The folder ${showName(root)} holds more than ${what}.`, {
      hint: 'Point the job at a smaller folder, or raise the limit.',
      details: { ...limits },
    });

  const add = (entry: TreeEntry): void => {
    entries.push(entry);
    if (entries.length > limits.maxEntries) throw tooLarge(`${String(limits.maxEntries)} entries`);
    if (entry.kind !== 'file') return;
    bytes += entry.sizeBytes;
    if (bytes > limits.maxBytes) throw tooLarge(`${String(limits.maxBytes)} bytes`);
  };

  const visit = async (path: string): Promise<'folder' | null> => {
    const full = join(root, path);
    const stats = await lstat(full);
    const mode = stats.mode & 0o777;
    if (stats.isDirectory()) {
      add({ kind: 'folder', path, mode });
      return 'folder';
    }
    if (stats.isSymbolicLink()) {
      const target = await readlink(full, { encoding: 'buffer' });
      if (isUtf8(target)) add({ kind: 'link', path, target: target.toString('utf8') });
      else refused.push({ path, reason: 'name_not_utf8' });
      return null;
    }
    add({ kind: 'file', path, mode, special: (stats.mode & 0o7000) !== 0, sizeBytes: stats.size });
    return null;
  };

  let folders = [''];
  while (folders.length > 0) {
    const paths: string[] = [];
    await eachBounded(folders, { limit: 8, signal }, async (folder) => {
      const names = await readNames(join(root, folder)).catch((error: unknown) => {
        if (folder === '' || !hasErrno(error, 'EACCES', 'ENOENT', 'ENOTDIR')) throw error;
        if (hasErrno(error, 'EACCES')) refused.push({ path: folder, reason: 'unreadable' });
        return [];
      });
      for (const { name, dirent } of names) {
        const path = folder === '' ? name : `${folder}/${name}`;
        if (isExcluded(path, exclude)) continue;
        const reason = dirent === null ? 'name_not_utf8' : refusalOf(dirent);
        if (reason === null) paths.push(path);
        else refused.push({ path, reason });
        if (entries.length + paths.length > limits.maxEntries)
          throw tooLarge(`${String(limits.maxEntries)} entries`);
      }
    });
    const deeper: string[] = [];
    await eachBounded(paths, { limit: 16, signal }, async (path) => {
      const kind = await visit(path).catch((error: unknown) => {
        if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EINVAL')) return null;
        if (!hasErrno(error, 'EACCES')) throw error;
        refused.push({ path, reason: 'unreadable' });
        return null;
      });
      if (kind === 'folder') deeper.push(path);
    });
    folders = deeper;
  }
  return { root, entries: entries.sort(byPath), refused: refused.sort(byPath) };
}
