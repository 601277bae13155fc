import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { hasErrno } from '../runtime/app-error.ts';

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Removes the files that these threads are kept in, `sessions/YYYY/MM/DD/rollout-TIME-ID.jsonl`; of those that have none it takes no notice.
 * None of them may be loaded in a process that will be asked for it again.
 */
export async function forgetThreads(codexHome: string, threadIds: readonly string[]): Promise<void> {
  const byDay = new Map<string, string[]>();
  for (const id of threadIds)
    for (const day of daysOf(id)) byDay.set(day, [...(byDay.get(day) ?? []), `-${id}.jsonl`]);
  for (const [day, endings] of byDay) {
    const dir = path.join(codexHome, 'sessions', day);
    const names = await namesIn(dir);
    for (const name of names.filter((file) => endings.some((ending) => file.endsWith(ending))))
      await rm(path.join(dir, name), { force: true });
  }
}

/** A thread's id is a uuid of version 7, whose first 48 bits are the time; its folder is named by the local day, so the days around count too. */
function daysOf(threadId: string): readonly string[] {
  if (!/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/.test(threadId)) return [];
  const atMs = Number.parseInt(threadId.replace('-', '').slice(0, 12), 16);
  return [-1, 0, 1].map((days) =>
    new Date(atMs + days * dayMs).toISOString().slice(0, 10).replaceAll('-', path.sep),
  );
}

async function namesIn(dir: string): Promise<readonly string[]> {
  return readdir(dir).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
}
