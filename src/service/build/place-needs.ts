import { constants } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, hasErrno } from '../../runtime/app-error.ts';
import type { SubmitPlace } from './build-type.ts';

/**
 * Copies what the needed jobs made into a folder, each file to its place of the output folder. Throws `needs_in_the_way` (user) where the
 * folder has a file there already, `needs_changed` (infrastructure) where an output is no longer what the build reckoned with.
 */
export async function placeNeeds(folder: string, { needs, outputDir, hashes }: SubmitPlace): Promise<void> {
  for (const [path, sha256] of Object.entries(needs)) {
    const target = join(folder, path);
    const from = join(outputDir, path);
    try {
      await mkdir(dirname(target), { recursive: true });
      await copyFile(from, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    } catch (error) {
      if (!hasErrno(error, 'EEXIST', 'ENOTDIR', 'EISDIR')) throw error;
      throw new AppError(
        'user',
        'needs_in_the_way',
        `${path} is a file that the job gets, and what a needed job makes.`,
        {
          hint: 'Give one of them another name or folder: the job finds what it needs where it lies in the output.',
          cause: error,
        },
      );
    }
    // Looked at after the copy: whatever was put there before is seen by its times.
    if ((await hashes.hash(from)) !== sha256) {
      throw new AppError('infrastructure', 'needs_changed', `${path} was changed while it was being used.`, {
        hint: 'Build again; another build may write into the same output folder.',
      });
    }
  }
}
