import { readdir, readFile } from 'node:fs/promises';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { isDead, readProcessStat } from '../runtime/process-stat.ts';
import { pause } from '../runtime/wait.ts';

export interface KillMarkedOptions {
  readonly signal: AbortSignal;
  readonly limitMs: number;
}

interface FoundProcess {
  readonly pid: number;
  readonly startTicks: string;
}

const firstPauseMs = 2;
const longestPauseMs = 50;

/**
 * Kills every process whose environment holds `marker` (`NAME=value`, whole) and resolves with how many there were, once none is left.
 * Sees processes of this user, and all of them as root; this process itself is spared. Where there is no /proc it finds none.
 * Rejects with `leftovers_alive` (kind infrastructure) when some are still there after `limitMs`.
 */
export async function killMarked(marker: string, options: KillMarkedOptions): Promise<number> {
  const { signal, limitMs } = options;
  const deadline = performance.now() + limitMs;
  const killed = new Set<string>();
  // What a process starts while it is being killed carries the marker too: look again until a look finds nothing.
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    signal.throwIfAborted();
    const found = await findMarked(marker);
    if (found.length === 0) return killed.size;
    if (performance.now() > deadline) {
      const pids = found.map(({ pid }) => pid);
      throw new AppError(
        'infrastructure',
        'leftovers_alive',
        `Processes ${pids.join(', ')} could not be killed.`,
        { hint: 'They may hang in the kernel, on a network file system for instance.', details: { pids } },
      );
    }
    for (const each of found) if (kill(each)) killed.add(`${String(each.pid)}/${each.startTicks}`);
    await pause(pauseMs, signal);
  }
}

async function findMarked(marker: string): Promise<readonly FoundProcess[]> {
  const entries = await readdir('/proc').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
  const pids = entries.filter((name) => /^\d+$/.test(name)).map(Number);
  const found: FoundProcess[] = [];
  for (const pid of pids) {
    if (pid === process.pid) continue;
    // The start time is read before the environment: whatever has that pid and that start time afterwards is what was looked at.
    const before = readProcessStat(pid);
    if (before === null || isDead(before) || before.isKernelThread) continue;
    if (await carries(pid, marker)) found.push({ pid, startTicks: before.startTicks });
  }
  return found;
}

async function carries(pid: number, marker: string): Promise<boolean> {
  try {
    const environment = await readFile(`/proc/${String(pid)}/environ`, 'utf8');
    return environment.split('\0').includes(marker);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return false;
    throw error;
  }
}

function kill({ pid, startTicks }: FoundProcess): boolean {
  if (readProcessStat(pid)?.startTicks !== startTicks) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch (error) {
    if (hasErrno(error, 'ESRCH', 'EPERM')) return false;
    throw error;
  }
}
