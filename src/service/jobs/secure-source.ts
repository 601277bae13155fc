import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, stat } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactStorage } from '../../artifacts/artifact-storage.ts';
import { asFileError } from '../../artifacts/file-error.ts';
import { fingerprintFolder } from '../../artifacts/fingerprint.ts';
import { freshFolder } from '../../artifacts/fresh-folder.ts';
import { snapshotFolder, type SnapshotOptions } from '../../artifacts/snapshot-folder.ts';
import { unpackArchive } from '../../artifacts/unpack-archive.ts';
import type { DocumentSource } from '../../contract/document-job.ts';
import { AppError, hasErrno } from '../../runtime/app-error.ts';

export interface SourcePlaces {
  readonly artifacts: ArtifactStorage;
  readonly dataDir: string;
  /** The folder to make. */
  readonly target: string;
  /** What the copy of a folder does not get; none: it gets all. */
  readonly withhold?: SnapshotOptions['withhold'];
}

const maxFileBytes = 512 * 1024 * 1024;

/** Copies a job's source, so that later changes to it do not reach the job; gives the source as it is stored. */
export async function secureSource(source: DocumentSource, places: SourcePlaces): Promise<DocumentSource> {
  const { artifacts, dataDir, target } = places;
  if ('dir' in source) {
    const dir = absolute(source.dir);
    const { withheld } = await snapshotFolder(dir, target, { dataDir, withhold: places.withhold });
    const fingerprint = await fingerprintFolder(target);
    return { dir, fingerprint, ...(withheld.length === 0 ? {} : { withheld: [...withheld] }) };
  }
  if ('file' in source) {
    const file = absolute(source.file);
    await copyOne(file, target, basename(file));
    return { file, fingerprint: await hashFile(join(target, basename(file))) };
  }
  const { jobId, name } = source.artifact;
  // Opened first, so that an artifact that is not there is said as such.
  (await artifacts.open(jobId, name)).stream.destroy();
  const path = artifacts.path(jobId, name);
  if (/\.(?:tar\.gz|tgz)$/.test(name)) await unpackArchive(path, target);
  else await copyOne(path, target, name);
  return source;
}

async function copyOne(file: string, target: string, name: string): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) throw missing(file, error);
    throw asFileError(error, file);
  });
  if (!found.isFile()) {
    throw new AppError('user', 'source_not_file', `${file} is not a file.`, {
      hint: 'Give a folder as `dir`.',
    });
  }
  if (found.size > maxFileBytes) {
    throw new AppError('user', 'file_too_large', `${file} is larger than ${String(maxFileBytes)} bytes.`, {
      hint: 'Split it.',
    });
  }
  await freshFolder(target, async (folder) => {
    try {
      await copyFile(file, join(folder, name));
    } catch (error) {
      throw asFileError(error, file);
    }
  });
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function missing(file: string, cause: unknown): AppError {
  return new AppError('user', 'source_missing', `There is no file ${file}.`, {
    hint: 'Check the path.',
    cause,
  });
}

function absolute(path: string): string {
  if (isAbsolute(path)) return path;
  throw new AppError('user', 'source_not_absolute', `The source '${path}' is not an absolute path.`, {
    hint: 'Give the whole path on the machine that the server runs on.',
  });
}
