import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { newId } from '../runtime/ids.ts';
import { onFile } from './file-error.ts';
import { removeTree } from './remove-tree.ts';

/**
 * Lets `fill` fill a new folder beside `target` and renames it to `target` when it is whole; what stood there is replaced. A failure
 * leaves nothing behind; a crash leaves at most a folder named `<target>.partial-<id>`.
 */
export async function freshFolder<T>(target: string, fill: (folder: string) => Promise<T>): Promise<T> {
  const partial = `${target}.partial-${newId()}`;
  await onFile(partial, async () => {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await mkdir(partial, { mode: 0o700 });
  });
  try {
    const result = await fill(partial);
    await removeTree(target);
    await onFile(target, () => rename(partial, target));
    return result;
  } catch (error) {
    await removeTree(partial);
    throw error;
  }
}
