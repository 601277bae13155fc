import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { removeTree } from '../artifacts/remove-tree.ts';
import { hasErrno } from '../runtime/app-error.ts';
import { newId } from '../runtime/ids.ts';
import { currentProcessIdentity, isAlive } from '../runtime/process-identity.ts';

export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

const ownerFile = 'owner.json';
const ownerSchema = z.object({ host: z.string(), pid: z.number(), startToken: z.string() });
/** A folder whose owner cannot be told may be one that is being made right now, but not for so long. */
const unownedMs = 3_600_000;

/** A folder for what this process needs only while it lives; removed when disposed, or by `sweepScratch` where the process was killed. */
export async function ownScratch(dataDir: string): Promise<Scratch> {
  const root = rootOf(dataDir);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const path = join(root, newId());
  await mkdir(path, { mode: 0o700 });
  await writeFile(join(path, ownerFile), JSON.stringify(currentProcessIdentity()));
  return { path, [Symbol.asyncDispose]: () => removeTree(path) };
}

/** Removes the scratch of processes that are gone. */
export async function sweepScratch(dataDir: string): Promise<void> {
  await sweep(dataDir, (owner) => !isAlive(owner));
}

/** Removes the scratch of all processes of a host that is gone: a container. */
export async function sweepScratchOf(dataDir: string, host: string): Promise<void> {
  await sweep(dataDir, (owner) => owner.host === host);
}

type Owner = z.infer<typeof ownerSchema>;

async function sweep(dataDir: string, isGone: (owner: Owner) => boolean): Promise<void> {
  const root = rootOf(dataDir);
  const names = await readdir(root).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
  for (const name of names) await removeIfGone(join(root, name), isGone);
}

function rootOf(dataDir: string): string {
  return join(dataDir, 'scratch');
}

async function removeIfGone(folder: string, isGone: (owner: Owner) => boolean): Promise<void> {
  try {
    const owner = ownerSchema.safeParse(JSON.parse(await readFile(join(folder, ownerFile), 'utf8')));
    if (owner.success && isGone(owner.data)) await removeTree(folder);
  } catch (error) {
    if (!(error instanceof SyntaxError) && !hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    const found = await stat(folder).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > unownedMs) await removeTree(folder);
  }
}
