import type { ProcessIdentity } from '../../domain/worker.ts';
import { AppError, hasErrno } from '../../runtime/app-error.ts';
import { isAlive } from '../../runtime/process-identity.ts';
import { pause } from '../../runtime/wait.ts';
import { hostname } from 'node:os';

const lookMs = 25;
const killLimitMs = 5_000;

export interface EndProcessOptions {
  /** After SIGTERM; then SIGKILL. */
  readonly graceMs: number;
}

/**
 * Ends a process that is proven to be the one meant: this host, its pid and its start time. True where it ended by itself.
 * Rejects with `not_provable` where nothing proves it, `process_unkillable` where it does not end.
 */
export async function endProcess(
  identity: ProcessIdentity,
  { graceMs }: EndProcessOptions,
): Promise<boolean> {
  if (identity.host !== hostname() || identity.startToken === '') {
    throw new AppError(
      'infrastructure',
      'not_provable',
      `Process ${identity.pid} on ${identity.host} cannot be proven to be a worker of ours from here.`,
      { hint: 'End it there, with `capstan workers cleanup` or by hand.' },
    );
  }
  if (await goneWithin(identity, 'SIGTERM', graceMs)) return true;
  if (await goneWithin(identity, 'SIGKILL', killLimitMs)) return false;
  throw new AppError(
    'infrastructure',
    'process_unkillable',
    `Process ${identity.pid} does not end on SIGKILL.`,
    { hint: 'It hangs in the kernel, on a network file system for instance.' },
  );
}

/** Another user's process, or one of another container, looks alive for ever: its limit holds all the same. */
async function goneWithin(identity: ProcessIdentity, signal: NodeJS.Signals, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  if (!isAlive(identity)) return true;
  send(identity.pid, signal);
  // A stopped one does not feel SIGTERM before it goes on.
  if (signal === 'SIGTERM') send(identity.pid, 'SIGCONT');
  while (performance.now() < deadline) {
    if (!isAlive(identity)) return true;
    await pause(lookMs, new AbortController().signal);
  }
  return !isAlive(identity);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasErrno(error, 'ESRCH', 'EPERM')) throw error;
  }
}
