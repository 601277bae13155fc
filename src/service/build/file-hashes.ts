import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readlinkSync, realpathSync, type BigIntStats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hasErrno } from '../../runtime/app-error.ts';

/** A file's sha256 and what told the file apart when it was read. */
export interface KnownHash {
  readonly stamp: string;
  readonly sha256: string;
  readonly atMs: number;
}

/** A file that changed this shortly before it was read may change again within the same tick of the file system's clock. */
const settledMs = 50;
const wholeBytes = 1024 * 1024;

/** sha256 of files, read again only where their size, times or inode changed. */
export class FileHashes {
  readonly #known: Map<string, KnownHash>;
  readonly #used = new Map<string, KnownHash>();
  #changed = false;

  constructor(known: Readonly<Record<string, KnownHash>>) {
    this.#known = new Map(Object.entries(known));
  }

  /** Null where there is no such file. A link counts as its target's name, or, where it is followed, as the file that it leads to. */
  async hash(path: string, links: 'named' | 'followed' = 'named'): Promise<string | null> {
    const stats = lstat(path);
    if (links === 'followed' && stats?.isSymbolicLink() === true) {
      const target = targetOf(path);
      return target === null ? null : this.hash(target);
    }
    if (stats === null) {
      this.#used.delete(path);
      return null;
    }
    const stamp = stampOf(stats);
    const known = this.#used.get(path) ?? this.#known.get(path);
    if (known?.stamp === stamp && Number(stats.ctimeMs) < known.atMs - settledMs) {
      this.#used.set(path, known);
      return known.sha256;
    }
    this.#changed = true;
    const atMs = Date.now();
    const sha256 = stats.isSymbolicLink()
      ? createHash('sha256')
          .update(`link to ${readlinkSync(path)}`)
          .digest('hex')
      : await hashFile(path, stats);
    this.#used.set(path, { stamp, sha256, atMs });
    return sha256;
  }

  /** Of a file that is on its way to another place. */
  forget(path: string): void {
    this.#used.delete(path);
  }

  /** Whether there is more to remember than there was. */
  get changed(): boolean {
    return this.#changed;
  }

  /** What was asked for since it was made. */
  used(): Readonly<Record<string, KnownHash>> {
    return Object.fromEntries(this.#used);
  }
}

/** Null where a link leads nowhere. */
function targetOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return null;
    throw error;
  }
}

/** By what a file is told from what it was; null where there is none. */
export function lstat(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
  } catch (error) {
    if (hasErrno(error, 'ENOTDIR')) return null;
    throw error;
  }
}

function stampOf({ size, mtimeNs, ctimeNs, ino, mode }: BigIntStats): string {
  return [size, mtimeNs, ctimeNs, ino, mode & 0o100n].join(' ');
}

async function hashFile(path: string, { size, mode }: BigIntStats): Promise<string> {
  const hash = createHash('sha256');
  // A program and a text of the same bytes are two things.
  if ((mode & 0o100n) !== 0n) hash.update('executable ');
  if (size <= wholeBytes) hash.update(await readFile(path));
  else for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
