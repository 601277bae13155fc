import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { currentProcessIdentity, isAlive } from '../../../src/runtime/process-identity.ts';

const identitySchema = z.object({ host: z.string(), pid: z.number(), startToken: z.string() });

/** Writes down in a folder that something of that name goes on, for as long as this process lives. */
export async function goOn(folder: string, name: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, name), JSON.stringify(currentProcessIdentity()));
}

export async function goOnNoMore(folder: string, name: string): Promise<void> {
  await rm(path.join(folder, name), { force: true });
}

/** Whether anything goes on; what was killed is forgotten. */
export async function anyGoesOn(folder: string): Promise<boolean> {
  for (const name of await readdir(folder).catch(() => [])) {
    const said = await readFile(path.join(folder, name), 'utf8').catch(() => null);
    if (said === null) continue;
    // One that is just being written is of a process that lives.
    if (said === '' || isAlive(identitySchema.parse(JSON.parse(said)))) return true;
    await goOnNoMore(folder, name);
  }
  return false;
}
