import { posix } from 'node:path';
import { hasErrno } from '../runtime/app-error.ts';
import {
  type ListOptions,
  type RefusedEntry,
  type Tree,
  type TreeEntry,
  byPath,
  listTree,
} from './list-tree.ts';
import { createByteComparer } from './same-bytes.ts';
import { createTimeSlice } from './time-slice.ts';
import { type ExcludeRules, repositoryData } from './tree-filter.ts';

export type Leaf = Extract<TreeEntry, { kind: 'file' | 'link' }>;

/** One file or link that is not the same on both sides; null where a side lacks it. At least one side has it. */
export interface LeafChange {
  readonly path: string;
  readonly before: Leaf | null;
  readonly after: Leaf | null;
  /** False where nothing but the executable bit changed. */
  readonly content: boolean;
}

export interface TreeComparison {
  readonly base: Tree;
  readonly current: Tree;
  /** Sorted by path. */
  readonly changes: readonly LeafChange[];
  /** Folders that came and hold nothing: no patch has a word for them. */
  readonly emptyFolders: readonly string[];
  /** What the current tree holds and no comparison can show: pipes, sockets, unreadable entries, names that are not UTF-8. */
  readonly refused: readonly RefusedEntry[];
}

export interface CompareOptions extends ListOptions {
  /** Entries at the root that an agent's own tooling makes: left out unless the base has them. */
  readonly scratch?: readonly string[] | undefined;
}

const isExecutable = (mode: number): boolean => (mode & 0o100) !== 0;

function leavesOf(tree: Tree): ReadonlyMap<string, Leaf> {
  return new Map(tree.entries.flatMap((entry) => (entry.kind === 'folder' ? [] : [[entry.path, entry]])));
}

/**
 * The real difference between two folders: files byte by byte, links by target, executable bits. Folders count by what they hold, as in
 * git. No link is followed. `exclude` defaults to `.git` at any depth.
 */
export async function compareTrees(
  base: string,
  current: string,
  options: CompareOptions = {},
): Promise<TreeComparison> {
  const { signal, scratch = [], limits, blame } = options;
  const exclude: ExcludeRules = options.exclude ?? repositoryData;
  const list = { signal, limits, exclude, ...(blame === undefined ? {} : { blame }) };
  const before = await listTree(base, list);
  const known = new Set(before.entries.map(({ path }) => path));
  const made = scratch.filter((path) => !known.has(path)).map((path) => `/${path}`);
  const after = await listTree(current, { ...list, exclude: [...exclude, ...made] });

  const refused: RefusedEntry[] = [...after.refused];
  const unseen = new Set(refused.map(({ path }) => path));
  const isUnseen = (path: string): boolean =>
    unseen.size > 0 && path.split('/').some((_, i, parts) => unseen.has(parts.slice(0, i + 1).join('/')));

  const old = leavesOf(before);
  const changes: LeafChange[] = [];
  const pause = createTimeSlice(signal);
  const sameBytes = createByteComparer(base, current);
  const now = leavesOf(after);

  for (const [path, leaf] of now) {
    await pause();
    const was = old.get(path) ?? null;
    try {
      const content = was === null || !(await sameContent(was, leaf, sameBytes));
      const mode =
        was?.kind === 'file' && leaf.kind === 'file' && isExecutable(was.mode) !== isExecutable(leaf.mode);
      if (content || mode) changes.push({ path, before: was, after: leaf, content });
    } catch (error) {
      if (!hasErrno(error, 'EACCES')) throw error;
      refused.push({ path, reason: 'unreadable' });
      unseen.add(path);
    }
  }
  for (const [path, was] of old) {
    // What cannot be seen any more was not deleted.
    if (!now.has(path) && !isUnseen(path)) changes.push({ path, before: was, after: null, content: true });
  }
  return {
    base: before,
    current: after,
    changes: changes.sort(byPath),
    emptyFolders: newEmptyFolders(before, after, refused),
    refused: refused.sort(byPath),
  };
}

function newEmptyFolders(before: Tree, after: Tree, refused: readonly RefusedEntry[]): readonly string[] {
  const known = foldersOf(before);
  const filled = new Set([...after.entries, ...refused].map(({ path }) => posix.dirname(path)));
  return [...foldersOf(after)].filter((path) => !filled.has(path) && !known.has(path));
}

function foldersOf({ entries }: Tree): ReadonlySet<string> {
  return new Set(entries.flatMap(({ kind, path }) => (kind === 'folder' ? [path] : [])));
}

async function sameContent(
  was: Leaf,
  is: Leaf,
  sameBytes: ReturnType<typeof createByteComparer>,
): Promise<boolean> {
  if (was.kind === 'link' || is.kind === 'link') {
    return was.kind === 'link' && is.kind === 'link' && was.target === is.target;
  }
  return was.sizeBytes === is.sizeBytes && (await sameBytes(is.path, is.sizeBytes));
}
