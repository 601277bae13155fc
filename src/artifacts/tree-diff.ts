import type { FileChange } from '../contract/job.ts';
import { type CompareOptions, type TreeComparison, compareTrees } from './compare-trees.ts';
import { gitPatch } from './git-patch.ts';

export interface TreeDiff {
  /** Sorted by path. */
  readonly files: readonly FileChange[];
  readonly comparison: TreeComparison;
  /** The same as a patch for `git apply`; rendered while it is read, as often as it is called, from the trees as they are then. */
  patch(signal?: AbortSignal): AsyncGenerator<Buffer>;
}

/** The real difference between two folders, as a list and as a patch. Throws kind `agent`, `folder_too_large`. */
export async function diffTrees(
  base: string,
  current: string,
  options: CompareOptions = {},
): Promise<TreeDiff> {
  const comparison = await compareTrees(base, current, options);
  const files = comparison.changes.map(({ path, before, after }): FileChange => {
    if (before === null) return { path, change: 'created' };
    return { path, change: after === null ? 'deleted' : 'modified' };
  });
  return { files, comparison, patch: (signal) => gitPatch(comparison, signal) };
}
