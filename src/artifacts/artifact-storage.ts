import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Artifact } from '../contract/job.ts';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { newId } from '../runtime/ids.ts';
import { asFileError, onFile, showName } from './file-error.ts';
import { checkJobId } from './job-folders.ts';
import { readPieces } from './read-pieces.ts';
import { removeTree } from './remove-tree.ts';

/** What becomes an artifact: bytes, a stream of them, or a file that is copied. */
export type ArtifactContent = Buffer | AsyncIterable<Buffer> | { readonly file: string };

/** Bytes of a file, both ends included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface OpenArtifact {
  /** The caller reads it to its end or destroys it. */
  readonly stream: Readable;
  /** Of the whole artifact. */
  readonly sizeBytes: number;
}

export interface ArtifactStorage {
  /** Stores an artifact, synced to disk before it resolves; one of the same name is replaced in one step. */
  put(jobId: string, name: string, content: ArtifactContent): Promise<Artifact>;
  /** Throws `artifact_not_found`, and what `choosePart` throws, which says what part to read once the size is known; null: all. */
  open(
    jobId: string,
    name: string,
    choosePart?: (sizeBytes: number) => ByteRange | null,
  ): Promise<OpenArtifact>;
  /** Sorted by name; empty for an unknown job. */
  list(jobId: string): Promise<readonly Omit<Artifact, 'sha256'>[]>;
  /** Where the artifact lies, whether it exists or not. */
  path(jobId: string, name: string): string;
  /** Removes what writers that were killed left of a job's artifacts. */
  tidy(jobId: string): Promise<void>;
  /** Removes all artifacts of a job. */
  remove(jobId: string): Promise<void>;
}

const partialPrefix = '.partial-';
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function chunksOf(content: ArtifactContent): AsyncIterable<Buffer> | readonly Buffer[] {
  if (Buffer.isBuffer(content)) return [content];
  if ('file' in content) return readPieces(content.file);
  return content;
}

async function writeAll(handle: FileHandle, content: ArtifactContent): Promise<Omit<Artifact, 'name'>> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of chunksOf(content)) {
    hash.update(chunk);
    await handle.writeFile(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw asFileError(error, folder);
  });
}

/** Artifacts as files in `rootDir/<job id>/`. Errors: `artifact_not_found`, `invalid_artifact_name`, `invalid_job_id`, `disk_full`, `permission_denied`. */
export function createArtifactStorage(rootDir: string): ArtifactStorage {
  const folderOf = (jobId: string): string => join(rootDir, checkJobId(jobId));

  const path = (jobId: string, name: string): string => {
    if (namePattern.test(name)) return join(folderOf(jobId), name);
    throw new AppError('user', 'invalid_artifact_name', `${showName(name)} is not an artifact's name.`, {
      hint: 'Letters, digits, dots, dashes and underscores, at most 128; the first a letter or digit.',
    });
  };

  const notFound = (jobId: string, name: string, cause: unknown): AppError =>
    new AppError('user', 'artifact_not_found', `Job ${jobId} has no artifact ${showName(name)}.`, {
      hint: `List them with \`capstan jobs show ${jobId}\`.`,
      cause,
    });

  const makeFolder = async (folder: string): Promise<void> => {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    // A new folder's name is durable only once the folder that lists it is synced.
    if (made !== undefined) await syncFolder(dirname(made));
    if (made !== undefined && made !== folder) await syncFolder(dirname(folder));
  };

  return {
    path,

    async put(jobId, name, content) {
      const target = path(jobId, name);
      const folder = dirname(target);
      const partial = join(folder, `${partialPrefix}${newId()}`);
      return onFile(target, async () => {
        await makeFolder(folder);
        const handle = await open(partial, 'wx', 0o600);
        try {
          let written: Omit<Artifact, 'name'>;
          try {
            written = await writeAll(handle, content);
            await handle.sync();
          } finally {
            await handle.close();
          }
          await rename(partial, target);
          await syncFolder(folder);
          return { name, ...written };
        } catch (error) {
          await rm(partial, { force: true });
          throw error;
        }
      });
    },

    async open(jobId, name, choosePart) {
      const file = path(jobId, name);
      let handle: FileHandle;
      try {
        handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
      } catch (error) {
        if (hasErrno(error, 'ENOENT')) throw notFound(jobId, name, error);
        throw asFileError(error, file);
      }
      try {
        const { size } = await handle.stat();
        return { stream: handle.createReadStream(choosePart?.(size) ?? {}), sizeBytes: size };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },

    async list(jobId) {
      const folder = folderOf(jobId);
      const names = await namesIn(folder);
      const own = names.filter((name) => namePattern.test(name)).sort();
      return Promise.all(
        own.map(async (name) => ({ name, sizeBytes: (await stat(join(folder, name))).size })),
      );
    },

    async tidy(jobId) {
      const folder = folderOf(jobId);
      const names = await namesIn(folder);
      const partial = names.filter((name) => name.startsWith(partialPrefix));
      await Promise.all(partial.map((name) => removeTree(join(folder, name))));
    },

    async remove(jobId) {
      await removeTree(folderOf(jobId));
    },
  };
}
