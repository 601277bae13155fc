import { join } from 'node:path';
import { applyChanges } from '../../artifacts/apply-changes.ts';
import { removeTree } from '../../artifacts/remove-tree.ts';
import { snapshotFolder } from '../../artifacts/snapshot-folder.ts';
import { diffTrees } from '../../artifacts/tree-diff.ts';
import { unpackArchive } from '../../artifacts/unpack-archive.ts';
import { codexJobInputSchema } from '../../contract/codex-job.ts';
import type { FileChange } from '../../contract/job.ts';
import type { Job } from '../../domain/job.ts';
import { artifactNames } from '../../runners/codex/artifact-names.ts';
import { agentScratch } from '../../runners/codex/collect-result.ts';
import { AppError } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import type { Capstan } from '../open-capstan.ts';

export interface Applied {
  readonly dir: string;
  readonly files: number;
}

/**
 * Puts a succeeded job's change into the folder that it was made from, whole or not at all. Throws `not_applicable` where there is nothing
 * to apply, `folder_changed` where the folder is no longer as it was, and what `applyChanges` throws.
 */
export async function applyJob(
  { artifacts, config }: Pick<Capstan, 'artifacts' | 'config'>,
  job: Job,
): Promise<Applied> {
  const input = codexJobInputSchema.safeParse(job.input);
  const source = input.success && 'dir' in input.data.source ? input.data.source : null;
  if (job.status.state !== 'succeeded' || source?.fingerprint === undefined) {
    throw new AppError(
      'user',
      'not_applicable',
      `Job ${job.id} has no change that could be applied to a folder.`,
      {
        hint: 'Only a job that has succeeded on a folder can be applied.',
      },
    );
  }
  const { dataDir } = config;
  const staging = join(dataDir, 'tmp', newId());
  try {
    const [before, after] = [join(staging, 'before'), join(staging, 'after')];
    const withheld = source.withheld ?? [];
    const exclude = withheld.map((path) => `/${path}`);
    const patchFile = artifacts.path(job.id, artifactNames.patch);
    await snapshotFolder(source.dir, before, { dataDir, exclude });
    await unpackArchive(artifacts.path(job.id, artifactNames.result), after);
    const diff = await diffTrees(before, after, { scratch: agentScratch });
    refuseWithheld(diff.files, { withheld, patchFile });
    const { fingerprint } = source;
    const files = await applyChanges(source.dir, diff, { fingerprint, patchFile, dataDir, exclude });
    return { dir: source.dir, files: files.length };
  } finally {
    await removeTree(staging);
  }
}

interface Withheld {
  readonly withheld: readonly string[];
  readonly patchFile: string;
}

/** What stands in the folder was not shown to the agent, so what it made in its place is no change of it. */
function refuseWithheld(files: readonly FileChange[], { withheld, patchFile }: Withheld): void {
  const touched = files.find(({ path }) =>
    withheld.some((name) => path === name || path.startsWith(`${name}/`)),
  );
  if (touched === undefined) return;
  throw new AppError(
    'user',
    'withheld_file',
    `The agent made ${touched.path}, which your folder has too: it was left out of the agent's copy, because it holds the provider's key.`,
    { hint: `Nothing was changed. The patch is kept: ${patchFile}` },
  );
}
