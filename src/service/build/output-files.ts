import { chmod, lstat, mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { removeTree } from '../../artifacts/remove-tree.ts';
import { hasErrno } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import type { FileHashes } from './file-hashes.ts';

/** sha256 by path, relative to the output folder, with `/`. */
export type Outputs = Readonly<Record<string, string>>;

/** Which of these files are not as they were made; null where all are. */
export async function outputFault(
  outputDir: string,
  outputs: Outputs,
  hashes: FileHashes,
): Promise<string | null> {
  for (const [path, sha256] of Object.entries(outputs)) {
    const found = await hashes.hash(join(outputDir, path));
    if (found === null) return `output ${path} is missing`;
    if (found !== sha256) return `output ${path} was changed`;
  }
  return null;
}

/**
 * Lets `fill` put files into an empty folder beside the output, then moves each to its place in one step: no reader sees half a file.
 * A file that is the same already stays untouched. `claim` may refuse a path before anything is moved.
 */
export async function writeOutputs(
  outputDir: string,
  {
    fill,
    claim,
    hashes,
  }: {
    readonly fill: (folder: string) => Promise<void>;
    readonly claim: (path: string) => void;
    readonly hashes: FileHashes;
  },
): Promise<Outputs> {
  await mkdir(outputDir, { recursive: true });
  // Beside, and not inside a temporary folder: a rename must not cross file systems.
  const staging = join(outputDir, `${stagingPrefix}${newId()}`);
  await mkdir(staging);
  try {
    const { mode } = await stat(staging);
    await fill(staging);
    const made: Record<string, string> = {};
    for (const path of await filesIn(staging)) {
      const from = join(staging, path);
      await openTo(from, mode);
      const sha256 = await hashes.hash(from);
      hashes.forget(from);
      if (sha256 !== null) made[path.replaceAll(sep, '/')] = sha256;
    }
    for (const path of Object.keys(made)) claim(path);
    for (const [path, sha256] of Object.entries(made)) {
      const target = join(outputDir, path);
      if ((await hashes.hash(target)) === sha256) continue;
      await mkdir(dirname(target), { recursive: true });
      await moveOver(join(staging, path), target);
      await hashes.hash(target);
    }
    return made;
  } finally {
    await removeTree(staging);
  }
}

/** What jobs leave is private; outputs are as readable as the user's new files are, for a web server of another user, say. */
async function openTo(path: string, folderMode: number): Promise<void> {
  const found = await lstat(path);
  if (!found.isFile()) return;
  await chmod(path, folderMode & ((found.mode & 0o100) === 0 ? 0o666 : 0o777));
}

const stagingPrefix = '.capstan-build-';

/** Removes staging folders that killed builds left; those of living ones are younger. */
export async function sweepStaging(
  outputDir: string,
  isOld: (path: string) => Promise<boolean>,
): Promise<void> {
  const names = await readdir(outputDir).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
  for (const name of names) {
    const path = join(outputDir, name);
    if (name.startsWith(stagingPrefix) && (await isOld(path))) await removeTree(path);
  }
}

/** Removes an output that nothing makes any more, and the folders that are empty then. What a person changed stays. */
export async function removeOutput(
  outputDir: string,
  [path, sha256]: readonly [string, string],
  hashes: FileHashes,
): Promise<void> {
  const file = join(outputDir, path);
  if ((await hashes.hash(file)) !== sha256) return;
  await rm(file, { force: true });
  for (let folder = dirname(file); relative(outputDir, folder) !== ''; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (hasErrno(error, 'ENOTEMPTY', 'ENOENT', 'EEXIST')) return;
      throw error;
    }
  }
}

async function moveOver(from: string, target: string): Promise<void> {
  try {
    await rename(from, target);
  } catch (error) {
    // A folder stands where a file belongs: what an older manifest made.
    if (!hasErrno(error, 'EISDIR', 'ENOTEMPTY')) throw error;
    await removeTree(target);
    await rename(from, target);
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
