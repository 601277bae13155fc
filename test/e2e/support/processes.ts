import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isDead, readProcessStat } from '../../../src/runtime/process-stat.ts';

export interface SeenProcess {
  readonly pid: number;
  readonly args: readonly string[];
  readonly environment: string;
}

/** Living processes whose folder, arguments or environment name `folder`; the caller's own is not among them. */
export function processesIn(folder: string): readonly SeenProcess[] {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  return pids.flatMap((pid) => {
    const stat = readProcessStat(pid);
    if (stat === null || isDead(stat)) return [];
    const args = read(pid, 'cmdline').split('\0').slice(0, -1);
    const environment = read(pid, 'environ');
    const isIn = [folderOf(pid), environment, ...args].some((text) => text.includes(folder));
    return isIn ? [{ pid, args, environment }] : [];
  });
}

/** One of these processes that runs `words`, whatever runs around it. */
export function running(folder: string, ...words: readonly string[]): readonly SeenProcess[] {
  return processesIn(folder).filter(({ args }) => words.every((word, at) => basename(args[at]) === word));
}

function basename(arg: string | undefined): string | undefined {
  return arg?.slice(arg.lastIndexOf('/') + 1);
}

/** Empty for a process that has gone meanwhile. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${String(pid)}/cwd`);
  } catch {
    return '';
  }
}
