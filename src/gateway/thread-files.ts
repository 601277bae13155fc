import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { forgetThreads } from '../codex/forget-threads.ts';
import { hasErrno } from '../runtime/app-error.ts';
import { isAlive } from '../runtime/process-identity.ts';
import { sweepFolders } from '../service/workers/own-folder.ts';
import type { ResponseStore } from '../store/sqlite/response-store.ts';

/** What Codex keeps of threads on disk, so that later requests can go on with them. */
export interface ThreadFiles {
  /** A thread that will be kept has begun; to be told before its first turn, which makes its file. */
  begun(threadId: string): Promise<void>;
  /** Its response is stored. */
  finished(threadId: string): Promise<void>;
  /** Nobody can go on with these. None of them may be loaded in a process that will be asked for it again. */
  forget(threadIds: readonly string[]): Promise<void>;
}

const notes = 'threads';

/** @param folder of this process: it holds a note of each thread that has begun and is not finished */
export async function openThreadFiles(codexHome: string, folder: string): Promise<ThreadFiles> {
  const dir = path.join(folder, notes);
  await mkdir(dir, { mode: 0o700 });
  const remove = (threadId: string): Promise<void> => rm(path.join(dir, threadId), { force: true });
  return {
    begun: (threadId) => writeFile(path.join(dir, threadId), ''),
    finished: remove,
    async forget(threadIds) {
      await forgetThreads(codexHome, threadIds);
      await Promise.all(threadIds.filter((id) => id !== '').map(remove));
    },
  };
}

/** Removes the folders of processes that were killed, and the files of threads whose responses they did not come to store. */
export async function sweepThreadFiles(
  root: string,
  { codexHome, responses }: { readonly codexHome: string; readonly responses: ResponseStore },
): Promise<void> {
  await sweepFolders(root, {
    isGone: (owner) => !isAlive(owner),
    before: async (folder) => {
      const begun = await readdir(path.join(folder, notes)).catch((error: unknown) => {
        if (hasErrno(error, 'ENOENT')) return [];
        throw error;
      });
      await forgetThreads(codexHome, await responses.unusedOf(begun));
    },
  });
}
