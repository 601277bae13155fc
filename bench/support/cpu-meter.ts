import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { childPids } from '../../src/runtime/process-stat.ts';
import { pause } from '../../src/runtime/wait.ts';
import { hasErrno } from '../../src/runtime/app-error.ts';

/**
 * Processor time (user and system) of process trees. A control group counts all that its members and their descendants use, also of those that
 * nobody waits for; where none can be made, /proc is read, which misses what was reaped by an `init` of its own.
 */
export interface CpuMeter extends AsyncDisposable {
  readonly method: 'cgroup' | 'proc';
  /** From now on what this process and its future children use is counted. */
  add(pid: number): void;
  /** The command that runs `command` inside the meter; on /proc the command itself: its parent has to be added instead. */
  wrap(command: string, args: readonly string[]): readonly [string, ...string[]];
  /** Milliseconds used so far. */
  readMs(): number;
}

const groups = [
  { root: '/sys/fs/cgroup', file: 'cpu.stat', probe: 'cgroup.controllers' },
  { root: '/sys/fs/cgroup/cpuacct', file: 'cpuacct.usage', probe: 'cpuacct.usage' },
  { root: '/sys/fs/cgroup/unified', file: 'cpu.stat', probe: 'cgroup.controllers' },
];
let made = 0;

export function createCpuMeter(): CpuMeter {
  for (const { root, file, probe } of groups) {
    if (!existsSync(`${root}/${probe}`)) continue;
    const dir = `${root}/capstan-bench-${process.pid}-${(made += 1)}`;
    try {
      mkdirSync(dir);
      readFileSync(`${dir}/${file}`);
      return groupMeter(dir, `${dir}/${file}`);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
  return procMeter();
}

function groupMeter(dir: string, file: string): CpuMeter {
  return {
    method: 'cgroup',
    add(pid) {
      writeFileSync(`${dir}/cgroup.procs`, String(pid));
    },
    wrap: (command, args) => [
      '/bin/sh',
      '-c',
      'echo $$ > "$0" && exec "$@"',
      `${dir}/cgroup.procs`,
      command,
      ...args,
    ],
    readMs() {
      const text = readFileSync(file, 'utf8');
      const usec = /^usage_usec (\d+)$/m.exec(text)?.[1];
      return usec === undefined ? Number(text) / 1e6 : Number(usec) / 1e3;
    },
    async [Symbol.asyncDispose]() {
      // A bare `codex exec` sometimes leaves a sandbox behind: what is still in the group when its side has ended goes with it.
      for (let tries = 0; tries < 50; tries += 1) {
        for (const pid of readFileSync(`${dir}/cgroup.procs`, 'utf8').split('\n'))
          if (pid !== '') killQuietly(Number(pid));
        try {
          rmdirSync(dir);
          return;
        } catch (error) {
          if (!hasErrno(error, 'EBUSY')) throw error;
          await pause(50, AbortSignal.timeout(50));
        }
      }
    },
  };
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}

const tickMs = 10;

function procMeter(): CpuMeter {
  const roots: number[] = [];
  return {
    method: 'proc',
    add: (pid) => void roots.push(pid),
    wrap: (command, args) => [command, ...args],
    readMs: () => roots.reduce((sum, pid) => sum + treeTicks(pid), 0) * tickMs,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function treeTicks(pid: number): number {
  const own = ownTicks(pid);
  return childPids(pid).reduce((sum, child) => sum + treeTicks(child), own);
}

/** User and system time of a process and of the children that it has waited for (proc_pid_stat(5), fields 14 to 17). */
function ownTicks(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return 0;
    throw error;
  }
}
