import { jobFolders } from '../artifacts/job-folders.ts';
import { removeTree } from '../artifacts/remove-tree.ts';
import type { Job } from '../domain/job.ts';

/** Removes an attempt's workspace and HOME; the source stays, so the job can be tried again. */
export async function giveBackFolders(
  { dataDir }: { readonly dataDir: string },
  job: Pick<Job, 'id'>,
): Promise<void> {
  const { workspace, home } = jobFolders(dataDir, job.id);
  await removeTree(workspace);
  await removeTree(home);
}
