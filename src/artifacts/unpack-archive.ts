import { constants, createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, open, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { checkEntryPath, corruptArchive, refuseEntry } from './archive-entry.ts';
import { writeSmallFile } from './copy-tree.ts';
import { asFileError } from './file-error.ts';
import { freshFolder } from './fresh-folder.ts';
import { type TarEntry, readTar } from './read-tar.ts';
import { smallFileBytes } from './read-small-file.ts';
import { staysInside } from './resolve-link.ts';
import { createTimeSlice } from './time-slice.ts';

export interface ArchiveLimits {
  readonly maxEntries: number;
  /** Of all files together, unpacked. */
  readonly maxBytes: number;
  /** Unpacked bytes over packed bytes; looked at once `ratioFreeBytes` are unpacked. */
  readonly maxRatio: number;
  readonly ratioFreeBytes: number;
}

export const defaultArchiveLimits: ArchiveLimits = {
  maxEntries: 200_000,
  maxBytes: 4 * 1024 ** 3,
  maxRatio: 100,
  ratioFreeBytes: 256 * 1024 ** 2,
};

export interface UnpackOptions {
  readonly signal?: AbortSignal | undefined;
  readonly limits?: ArchiveLimits | undefined;
}

export interface UnpackResult {
  readonly files: number;
  readonly sizeBytes: number;
}

function tooLarge(what: string): AppError {
  return new AppError('user', 'archive_too_large', `The archive holds more than ${what}.`, {
    hint: 'Pack less into it, or raise the limit.',
  });
}

async function* gunzip(file: string, limits: ArchiveLimits, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const packed = createReadStream(file);
  const unpacked = createGunzip();
  // A failure also fails the loop below; this only keeps it from counting as unhandled.
  const fed = pipeline(packed, unpacked, signal === undefined ? {} : { signal }).catch(() => undefined);
  // Headers come on top of the files' own bytes.
  const maxStream = limits.maxBytes + limits.maxEntries * 1024 + 16 * 1024 ** 2;
  let total = 0;
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      total += chunk.length;
      if (total > maxStream) throw tooLarge(`${String(limits.maxBytes)} bytes`);
      if (total > limits.ratioFreeBytes && total > packed.bytesRead * limits.maxRatio) {
        throw new AppError('user', 'archive_refused', 'The archive unpacks to far more than it should.', {
          hint: `It may grow ${String(limits.maxRatio)}-fold at most.`,
        });
      }
      yield chunk;
    }
  } finally {
    packed.destroy();
    await fed;
  }
}

async function writeBody(file: string, entry: TarEntry): Promise<void> {
  const mode = (entry.mode & 0o777) | 0o600;
  if (entry.sizeBytes < smallFileBytes) {
    const parts: Buffer[] = [];
    for await (const part of entry.body()) parts.push(part);
    writeSmallFile(file, Buffer.concat(parts), mode);
    return;
  }
  const handle = await open(file, 'wx', 0o600);
  try {
    for await (const part of entry.body()) await handle.writeFile(part);
    await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}

/** Turns what the filesystem says against an entry into a refusal that names it. */
async function onEntry<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (hasErrno(error, 'EEXIST', 'ENOTDIR', 'EISDIR'))
      throw refuseEntry(path, 'stands where another entry is');
    if (hasErrno(error, 'ENAMETOOLONG')) throw refuseEntry(path, 'has a name that is too long');
    throw error;
  }
}

async function unpackInto(
  folder: string,
  entries: AsyncIterable<TarEntry>,
  options: UnpackOptions,
): Promise<UnpackResult> {
  const { maxEntries, maxBytes } = options.limits ?? defaultArchiveLimits;
  const pause = createTimeSlice(options.signal);
  const made = new Set(['.']);
  const files = new Map<string, number>();
  const folders = new Map<string, number>();
  const links = new Map<string, string>();
  let count = 0;
  let sizeBytes = 0;

  const grow = (bytes: number): void => {
    sizeBytes += bytes;
    if (sizeBytes > maxBytes) throw tooLarge(`${String(maxBytes)} bytes`);
  };
  const makeFolder = async (path: string): Promise<void> => {
    if (made.has(path)) return;
    await mkdir(join(folder, path), { recursive: true, mode: 0o755 });
    made.add(path);
  };

  for await (const entry of entries) {
    await pause();
    if (++count > maxEntries) throw tooLarge(`${String(maxEntries)} entries`);
    const path = checkEntryPath(entry.path);
    await onEntry(entry.path, async () => {
      if (entry.kind === 'folder') {
        await makeFolder(path === '' ? '.' : path);
        if (path !== '') folders.set(path, entry.mode);
        return;
      }
      if (path === '') throw refuseEntry(entry.path, 'stands for the archive itself, but is no folder');
      if (entry.kind === 'other') throw refuseEntry(entry.path, 'is neither a file, a folder nor a link');
      await makeFolder(dirname(path));
      if (entry.kind === 'link') {
        if (links.has(path)) throw refuseEntry(entry.path, 'is there twice');
        links.set(path, entry.target);
      } else if (entry.kind === 'hard_link') {
        const target = checkEntryPath(entry.target);
        const size = files.get(target);
        if (size === undefined) throw refuseEntry(entry.path, 'is a hard link to no file of the archive');
        grow(size);
        // A copy: two names of one file would change together.
        await copyFile(join(folder, target), join(folder, path), constants.COPYFILE_EXCL);
        files.set(path, size);
      } else {
        grow(entry.sizeBytes);
        await writeBody(join(folder, path), entry);
        files.set(path, entry.sizeBytes);
      }
    });
  }

  // Links come last, so that nothing was ever written through one.
  for (const [path, target] of links) {
    if (target === '' || target.includes('\0') || !staysInside(path, links)) {
      throw refuseEntry(path, 'is a link that leads out of the archive');
    }
    await onEntry(path, () => symlink(target, join(folder, path)));
  }
  for (const [path, mode] of folders) await chmod(join(folder, path), (mode & 0o777) | 0o700);
  return { files: files.size, sizeBytes };
}

/**
 * Unpacks a `.tar.gz` from anybody into a new folder at `dir`, whole or not at all. Throws kind `user`: `archive_refused` with the entry
 * (absolute, `..`, a link that leads out, a device, a name twice), `archive_too_large`, `archive_corrupt`; also `disk_full` and
 * `permission_denied`. Set-user-id bits are dropped; the owner may always read and write.
 */
export async function unpackArchive(
  file: string,
  dir: string,
  options: UnpackOptions = {},
): Promise<UnpackResult> {
  const { limits = defaultArchiveLimits, signal } = options;
  return freshFolder(dir, async (folder) => {
    try {
      return await unpackInto(folder, readTar(gunzip(file, limits, signal)), options);
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
        throw corruptArchive(error.message, error);
      }
      throw asFileError(error, dir);
    }
  });
}
