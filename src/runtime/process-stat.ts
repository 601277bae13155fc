import { readFileSync } from 'node:fs';
import { hasErrno } from './app-error.ts';

export interface ProcessStat {
  readonly pid: number;
  readonly parentPid: number;
  /** `Z` and `X` are dead: only their exit status is left. */
  readonly state: string;
  /** Clock ticks between boot and the start of the process; with the pid it names a process for good. */
  readonly startTicks: string;
  /** A thread of the kernel's own, which has no environment and cannot be killed. */
  readonly isKernelThread: boolean;
}

/** PF_KTHREAD of the kernel's include/linux/sched.h. */
const kernelThreadFlag = 0x00200000;

/** What /proc/PID/stat says (proc_pid_stat(5)), or null where there is no such process, no /proc, or we may not look. */
export function readProcessStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return null;
    throw error;
  }
  // The second field is the program's name in brackets and may itself hold blanks and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parentPid] = fields;
  const [flags, startTicks] = [Number(fields[6]), fields[19]];
  if (state === undefined || parentPid === undefined || startTicks === undefined) return null;
  const isKernelThread = (flags & kernelThreadFlag) !== 0;
  return { pid, parentPid: Number(parentPid), state, startTicks, isKernelThread };
}

export function isDead(stat: ProcessStat): boolean {
  return stat.state === 'Z' || stat.state === 'X';
}

/** The living children of a process's main thread; empty where the kernel does not tell. */
export function childPids(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
    return text.trim() === '' ? [] : text.trim().split(' ').map(Number);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return [];
    throw error;
  }
}
