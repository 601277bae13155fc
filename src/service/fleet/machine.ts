import { availableParallelism, freemem } from 'node:os';
import { readFileSync, statfsSync } from 'node:fs';
import type { Machine } from '../../domain/worker-plan.ts';
import { hasErrno } from '../../runtime/app-error.ts';

/** What there is for workers now. Memory that only caches files counts as free. */
export function thisMachine(): Machine {
  return { processors: availableParallelism(), freeMemoryBytes: availableMemory() ?? freemem() };
}

/** Why jobs may soon find no room, or null. */
export function diskWarning(folder: string): string | null {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= 1024 ** 3) return null;
  return `Only ${Math.round(free / 1024 ** 2)} MiB are free on the disk of ${folder}; free some space before jobs fail for want of it.`;
}

function availableMemory(): number | null {
  try {
    const [, kibibytes] = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES')) return null;
    throw error;
  }
}
