import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';

/**
 * What holds a child and everything it starts.
 * `pid_namespace`: all of it dies with the child, and the child dies with this process, whatever kills it.
 * `process_group`: what leaves the child's process group can outlive it (see `kill-marked.ts`); `why` says what is missing.
 */
export type Containment =
  | { readonly kind: 'pid_namespace'; readonly prefix: readonly string[] }
  | { readonly kind: 'process_group'; readonly prefix: readonly string[]; readonly why: string };

const toolFolders = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];
const probeLimitMs = 5_000;
const marker = 'contained';

/**
 * Run by root, before the child starts: the kernel lets uid 0 write its settings by the file's owner alone, also without any capability and
 * out of a sandbox that mounts a /proc of its own, and `core_pattern` runs a program as root outside of everything. What covers a part of
 * /proc also keeps whoever is inside from mounting another.
 */
const coverKernelSettings = `if [ -w /proc/sys/kernel/panic ]; then
  for path in /proc/sys /proc/sysrq-trigger /proc/irq /proc/bus /proc/fs; do
    [ -e "$path" ] || continue
    PATH=/usr/sbin:/usr/bin:/sbin:/bin mount -o bind,ro,nosuid,nodev,noexec "$path" "$path" || exit 126
  done
fi
`;

/**
 * The first process of the namespace: runs the child in the foreground, reaps what the child leaves behind (Codex does not), and
 * lets SIGTERM to the group reach the child, which as first process itself would never feel a signal that it does not handle.
 */
const init = ['/bin/sh', '-c', `${coverKernelSettings}"$@"; exit $?`, 'init'];

/** Finds out by trying what holds children here. Rejects only when the signal aborts. */
export async function probeContainment(signal: AbortSignal): Promise<Containment> {
  signal.throwIfAborted();
  if (process.platform !== 'linux') {
    return { kind: 'process_group', prefix: [], why: `${process.platform} has no PID namespaces.` };
  }
  const [setpriv, unshare] = await Promise.all([findTool('setpriv'), findTool('unshare')]);
  // The death signal is the kernel's own: it also comes when this process is killed with SIGKILL.
  const deathSignal = setpriv === null ? [] : [setpriv, '--pdeathsig', 'KILL', '--'];
  if (setpriv === null || unshare === null) {
    const missing = setpriv === null ? 'setpriv' : 'unshare';
    return { kind: 'process_group', prefix: deathSignal, why: `${missing} (util-linux) is not installed.` };
  }
  const namespace = '--user --map-current-user --pid --fork --kill-child=SIGKILL --mount-proc --'.split(' ');
  const prefix = [...deathSignal, unshare, ...namespace, ...init];
  const refused = await tryPrefix(prefix, signal);
  if (refused === null) return { kind: 'pid_namespace', prefix };
  const noDeathSignal = await tryPrefix(deathSignal, signal);
  return {
    kind: 'process_group',
    prefix: noDeathSignal === null ? deathSignal : [],
    why: `A PID namespace is not allowed here: ${refused}`,
  };
}

/** The command line that runs `command` under the containment. */
export function containedCommand(
  containment: Containment,
  command: string,
  args: readonly string[],
): readonly [string, ...string[]] {
  const [first, ...rest] = containment.prefix;
  return first === undefined ? [command, ...args] : [first, ...rest, command, ...args];
}

/** How the child itself ended: the namespace's first process tells a signal as exit code 128 + its number. */
export function containedExit(
  containment: Containment,
  exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null },
): { readonly code: number | null; readonly signal: NodeJS.Signals | null } {
  return containment.kind !== 'pid_namespace' || exit.code === null ? exit : exitOfCode(exit.code);
}

/** What an exit code says that was handed on by a first process, shell or container: a signal is 128 + its number. */
export function exitOfCode(code: number): {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
} {
  const signals = Object.entries(osConstants.signals) as [NodeJS.Signals, number][];
  const signal = signals.find(([, each]) => each === code - 128)?.[0];
  return signal === undefined ? { code, signal: null } : { code: null, signal };
}

/** Null where the prefix works, else what it said. */
async function tryPrefix(prefix: readonly string[], signal: AbortSignal): Promise<string | null> {
  const [command, ...args] = [...prefix, '/bin/sh', '-c', `echo ${marker}`];
  const said = await new Promise<string | null>((resolve) => {
    const limits = { signal, timeout: probeLimitMs, killSignal: 'SIGKILL', env: {}, cwd: '/' } as const;
    execFile(command, args, limits, (error, stdout, stderr) => {
      if (error === null && stdout.trim() === marker) resolve(null);
      else resolve(firstLine(stderr) ?? error?.message ?? 'it gave no answer');
    });
  });
  signal.throwIfAborted();
  return said;
}

function firstLine(text: string): string | null {
  const line = text.trim().split('\n')[0];
  return line === undefined || line === '' ? null : line;
}

async function findTool(name: string): Promise<string | null> {
  for (const folder of toolFolders) {
    const path = join(folder, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}
