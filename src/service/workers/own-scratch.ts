import { join } from 'node:path';
import { isAlive } from '../../runtime/process-identity.ts';
import { ownFolder, sweepFolders, type OwnFolder } from './own-folder.ts';

/** A folder for what this process needs only while it lives; removed when disposed, or by `sweepScratch` where the process was killed. */
export async function ownScratch(dataDir: string): Promise<OwnFolder> {
  return ownFolder(rootOf(dataDir));
}

/** Removes the scratch of processes that are gone. */
export async function sweepScratch(dataDir: string): Promise<void> {
  await sweepFolders(rootOf(dataDir), { isGone: (owner) => !isAlive(owner) });
}

/** Removes the scratch of all processes of a host that is gone: a container. */
export async function sweepScratchOf(dataDir: string, host: string): Promise<void> {
  await sweepFolders(rootOf(dataDir), { isGone: (owner) => owner.host === host });
}

function rootOf(dataDir: string): string {
  return join(dataDir, 'scratch');
}
