import { join } from 'node:path';
import { applyChanges } from '../artifacts/apply-changes.ts';
import { removeTree } from '../artifacts/remove-tree.ts';
import { unpackArchive } from '../artifacts/unpack-archive.ts';
import { codexJobInputSchema } from '../contract/codex-job.ts';
import type { Job } from '../domain/job.ts';
import { newId } from '../runtime/ids.ts';
import { artifactNames } from '../runners/codex/collect-result.ts';
import { AppError } from '../runtime/app-error.ts';
import type { Capstan } from './open-capstan.ts';

export interface Applied {
  readonly dir: string;
  readonly files: number;
}

/** Puts a succeeded job's change into the folder that it was made from. Throws `folder_changed` where that is no longer as it was, `not_applicable` where there is nothing to apply. */
export async function applyJob(
  { artifacts, config }: Pick<Capstan, 'artifacts' | 'config'>,
  job: Job,
): Promise<Applied> {
  const input = codexJobInputSchema.safeParse(job.input);
  const source = input.success && 'dir' in input.data.source ? input.data.source : null;
  if (job.status.state !== 'succeeded' || job.report === null || source?.fingerprint === undefined) {
    throw new AppError(
      'user',
      'not_applicable',
      `Job ${job.id} has no change that could be applied to a folder.`,
      {
        hint: 'Only a job that has succeeded on a folder can be applied.',
      },
    );
  }
  const unpacked = join(config.dataDir, 'tmp', newId());
  try {
    await unpackArchive(artifacts.path(job.id, artifactNames.result), unpacked);
    await applyChanges({
      files: job.report.filesChanged,
      from: unpacked,
      to: source.dir,
      fingerprint: source.fingerprint,
      patch: artifacts.path(job.id, artifactNames.patch),
      dataDir: config.dataDir,
    });
    return { dir: source.dir, files: job.report.filesChanged.length };
  } finally {
    await removeTree(unpacked);
  }
}
