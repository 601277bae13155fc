import { mkdir } from 'node:fs/promises';
import { copyTree } from './copy-tree.ts';
import { asFileError, onFile } from './file-error.ts';
import { freshFolder } from './fresh-folder.ts';
import type { JobFolders } from './job-folders.ts';
import { listTree } from './list-tree.ts';
import { removeTree } from './remove-tree.ts';

/**
 * Makes a clean workspace from the job's source and an empty home with its tmp; what an earlier attempt left of them is removed.
 * An attempt that resumes does not call this. Throws `disk_full` and `permission_denied`.
 */
export async function prepareWorkspace(folders: JobFolders, signal?: AbortSignal): Promise<void> {
  const source = await listTree(folders.source, { signal, blame: 'infrastructure' });
  await freshFolder(folders.workspace, async (folder) => {
    try {
      await copyTree(source, folder, signal);
    } catch (error) {
      throw asFileError(error, folders.workspace);
    }
  });
  await removeTree(folders.home);
  await onFile(folders.tmp, () => mkdir(folders.tmp, { recursive: true, mode: 0o700 }));
}

/** Removes all of a job's folders but its artifacts. */
export async function removeJobFolders(folders: JobFolders): Promise<void> {
  await removeTree(folders.job);
}
