import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { hasErrno } from '../../runtime/app-error.ts';

/** A thread that is being written was begun in one of the newest day folders. */
const daysBack = 3;

/** The file that a thread is kept in, `sessions/YYYY/MM/DD/rollout-TIME-ID.jsonl`; null where it is not found among the newest. */
export async function findRollout(codexHome: string, threadId: string): Promise<string | null> {
  let left = daysBack;
  for await (const day of newestDays(path.join(codexHome, 'sessions'), 3)) {
    const name = (await namesIn(day)).find((file) => file.endsWith(`-${threadId}.jsonl`));
    if (name !== undefined) return path.join(day, name);
    left -= 1;
    if (left === 0) return null;
  }
  return null;
}

async function* newestDays(dir: string, depth: number): AsyncGenerator<string> {
  if (depth === 0) {
    yield dir;
    return;
  }
  for (const name of (await namesIn(dir)).sort().reverse())
    yield* newestDays(path.join(dir, name), depth - 1);
}

async function namesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  });
}
