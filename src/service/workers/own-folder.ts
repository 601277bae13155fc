import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { removeTree } from '../../artifacts/remove-tree.ts';
import { hasErrno } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import { currentProcessIdentity } from '../../runtime/process-identity.ts';

export interface OwnFolder extends AsyncDisposable {
  readonly path: string;
}

const ownerFile = 'owner.json';
const ownerSchema = z.object({ host: z.string(), pid: z.number(), startToken: z.string() });
export type FolderOwner = z.infer<typeof ownerSchema>;
/** A folder whose owner cannot be told may be one that is being made right now, but not for so long. */
const unownedMs = 3_600_000;

/** A folder of this process in `root`, which holds nothing but such folders; removed when disposed, or by `sweepFolders` where the process was killed. */
export async function ownFolder(root: string): Promise<OwnFolder> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const path = join(root, newId());
  await mkdir(path, { mode: 0o700 });
  await writeFile(join(path, ownerFile), JSON.stringify(currentProcessIdentity()));
  return { path, [Symbol.asyncDispose]: () => removeTree(path) };
}

export interface SweepOptions {
  readonly isGone: (owner: FolderOwner) => boolean;
  /** What has to be done before a folder goes. */
  readonly before?: (folder: string) => Promise<void>;
}

/** Removes the folders of owners that are gone. */
export async function sweepFolders(root: string, options: SweepOptions): Promise<void> {
  const names = await readdir(root).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
  for (const name of names) await removeIfGone(join(root, name), options);
}

async function removeIfGone(folder: string, { isGone, before }: SweepOptions): Promise<void> {
  try {
    const owner = ownerSchema.safeParse(JSON.parse(await readFile(join(folder, ownerFile), 'utf8')));
    if (!owner.success || !isGone(owner.data)) return;
    await before?.(folder);
    await removeTree(folder);
  } catch (error) {
    if (!(error instanceof SyntaxError) && !hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    const found = await stat(folder).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > unownedMs) await removeTree(folder);
  }
}
