import { open, realpath, stat } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { copyTree, ofKind } from './copy-tree.ts';
import { asFileError, showName } from './file-error.ts';
import { freshFolder } from './fresh-folder.ts';
import { type RefusalReason, type Tree, type TreeLimits, defaultTreeLimits, listTree } from './list-tree.ts';
import { relativeTarget, staysInside } from './resolve-link.ts';
import type { ExcludeRules } from './tree-filter.ts';

export interface SnapshotOptions {
  readonly signal?: AbortSignal | undefined;
  readonly limits?: TreeLimits | undefined;
  /** Capstan's own data folder; left out where it lies inside the source. */
  readonly dataDir?: string | undefined;
  /** What else is left out. */
  readonly exclude?: ExcludeRules | undefined;
  /** Names the files that the copy does not get, once the folder is listed; throws where there is to be no copy. */
  readonly withhold?: ((tree: Tree) => Promise<readonly string[]>) | undefined;
}

export interface Snapshot {
  readonly files: number;
  readonly sizeBytes: number;
  /** Paths of files that `withhold` kept out of the copy. */
  readonly withheld: readonly string[];
}

/** A file may vanish between the listing and the copy; a folder that changes all the time is refused after this many tries. */
const maxTries = 3;

const reasons: Readonly<
  Record<RefusalReason, { readonly code: string; readonly text: string; readonly hint: string }>
> = {
  fifo: { code: 'source_special_file', text: 'is a named pipe', hint: 'Remove it' },
  socket: {
    code: 'source_special_file',
    text: 'is a socket',
    hint: 'Stop the program that made it and remove it',
  },
  device: { code: 'source_special_file', text: 'is a device', hint: 'Remove it' },
  unreadable: {
    code: 'source_unreadable',
    text: 'cannot be read',
    hint: 'Give yourself the right to read it',
  },
  name_not_utf8: {
    code: 'source_name_not_utf8',
    text: 'has a name or target that is not UTF-8',
    hint: 'Rename it',
  },
};

async function findFolder(dir: string): Promise<string> {
  const absolute = resolve(dir);
  try {
    const stats = await stat(absolute);
    if (stats.isDirectory()) return refuseSystem(await realpath(absolute));
  } catch (error) {
    if (hasErrno(error, 'EACCES')) throw unreadable(absolute, error);
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG')) throw error;
    throw new AppError('user', 'source_missing', `There is no folder ${showName(absolute)}.`, {
      hint: 'Check the path, or make the folder first.',
      cause: error,
    });
  }
  throw new AppError('user', 'source_not_folder', `${showName(absolute)} is a file, not a folder.`, {
    hint: 'Give the folder that holds it.',
  });
}

/** What the system makes up as it is read: no copy of it means anything, and no copy ends. */
const systemFolders = ['/proc', '/sys', '/dev'];

function refuseSystem(root: string): string {
  const isSystem = systemFolders.some((folder) => root === folder || root.startsWith(`${folder}/`));
  if (!isSystem && dirname(root) !== root) return root;
  throw new AppError(
    'user',
    'source_is_system',
    `${showName(root)} cannot be copied: it is no folder of yours.`,
    {
      hint: 'Choose the folder that holds your files.',
    },
  );
}

function unreadable(path: string, cause: unknown): AppError {
  return new AppError('user', 'source_unreadable', `${showName(path)} cannot be read.`, {
    hint: 'Give yourself the right to read it, or choose another folder.',
    cause,
  });
}

/** Where the data folder lies below the source, as a rule that leaves it out. */
async function dataFolderRule(root: string, dataDir: string | undefined): Promise<readonly string[]> {
  if (dataDir === undefined) return [];
  const real = await realpath(dataDir).catch((error: unknown) => {
    if (!hasErrno(error, 'ENOENT')) throw error;
    return resolve(dataDir);
  });
  const inside = relative(root, real);
  if (inside === '') {
    throw new AppError('user', 'source_is_data_folder', `${showName(root)} is Capstan's own data folder.`, {
      hint: 'Choose the folder that holds your files.',
    });
  }
  return inside === '..' || inside.startsWith(`..${sep}`) ? [] : [`/${inside}`];
}

/** The tree with every link relative; throws for whatever a job's source may not hold. */
function checkSource(tree: Tree, roots: readonly string[]): Tree {
  const [refused] = tree.refused;
  if (refused !== undefined) {
    const { code, text, hint } = reasons[refused.reason];
    throw new AppError('user', code, `${showName(refused.path)} in ${showName(tree.root)} ${text}.`, {
      hint: `${hint}, or choose another folder.`,
      details: { path: refused.path, reason: refused.reason },
    });
  }
  const entries = tree.entries.map((entry) =>
    entry.kind === 'link' ? { ...entry, target: relativeTarget(entry.path, entry.target, roots) } : entry,
  );
  const links = new Map(ofKind(entries, 'link').map(({ path, target }) => [path, target]));
  for (const [path, target] of links) {
    if (staysInside(path, links)) continue;
    throw new AppError(
      'user',
      'source_link_outside',
      `The link ${showName(path)} leads out of ${showName(tree.root)}, to ${showName(target)}.`,
      { hint: 'Remove the link, or put what it points to into the folder.', details: { path, target } },
    );
  }
  return { ...tree, entries };
}

/**
 * Lists a folder as a job's source: links relative and none that leads out, nothing but files, folders and links.
 * Throws kind `user`: `source_missing`, `source_not_folder`, `source_unreadable`, `source_special_file`, `source_name_not_utf8`,
 * `source_link_outside`, `source_is_data_folder`, `source_is_system`, `folder_too_large`.
 */
export async function listSource(dir: string, options: SnapshotOptions = {}): Promise<Tree> {
  const root = await findFolder(dir);
  const exclude = [...(await dataFolderRule(root, options.dataDir)), ...(options.exclude ?? [])];
  const { signal, limits = defaultTreeLimits } = options;
  try {
    const tree = await listTree(root, { signal, limits, exclude, blame: 'user' });
    return checkSource(tree, [root, resolve(dir)]);
  } catch (error) {
    if (isSystemError(error)) throw unreadable(error.path ?? root, error);
    throw error;
  }
}

/** What reading said: a permission, a disk or a share that fails, a place that is not what it seems. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

function changed(path: string, cause: unknown): AppError {
  return new AppError('user', 'source_changed', `${showName(path)} changed while it was copied.`, {
    hint: 'Wait until nothing writes to the folder, then submit the job again.',
    cause,
  });
}

/** A failed copy in the words of whoever can mend it: the source's owner or whoever runs Capstan. */
async function explain(error: unknown, root: string, target: string): Promise<unknown> {
  if (error instanceof AppError && error.code === 'not_a_file') return changed(root, error);
  if (!(error instanceof Error)) return error;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : '';
  const ofSource = path.startsWith(root);
  if (ofSource && hasErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP')) {
    return changed(path, error);
  }
  if (ofSource && hasErrno(error, 'EACCES', 'EPERM')) {
    // copyFile names the original also where it is the copy that it may not write.
    const readable = await open(path, 'r').then(
      (handle) => handle.close().then(() => true),
      () => false,
    );
    if (!readable) return unreadable(path, error);
  }
  return asFileError(error, target);
}

async function withholdFrom(tree: Tree, { withhold }: SnapshotOptions): Promise<readonly string[]> {
  try {
    return (await withhold?.(tree)) ?? [];
  } catch (error) {
    throw await explain(error, tree.root, tree.root);
  }
}

/**
 * Copies a folder to `target`, whole or not at all. Everything below it belongs to the copy, also dotfiles, `.git` and empty folders;
 * modes are kept but for set-user-id bits. Throws what `listSource` throws, `source_changed`, `disk_full` and `permission_denied`.
 */
export async function snapshotFolder(
  dir: string,
  target: string,
  options: SnapshotOptions = {},
): Promise<Snapshot> {
  for (let tries = 1; ; tries++) {
    const listed = await listSource(dir, options);
    try {
      const withheld = await withholdFrom(listed, options);
      const tree = { ...listed, entries: listed.entries.filter(({ path }) => !withheld.includes(path)) };
      await freshFolder(target, async (folder) => {
        try {
          await copyTree(tree, folder, options.signal);
        } catch (error) {
          throw await explain(error, tree.root, target);
        }
      });
      const files = ofKind(tree.entries, 'file');
      const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      return { files: files.length, sizeBytes: bytes, withheld };
    } catch (error) {
      const mayHaveSettled = error instanceof AppError && error.code === 'source_changed';
      if (!mayHaveSettled || tries >= maxTries) throw error;
    }
  }
}
