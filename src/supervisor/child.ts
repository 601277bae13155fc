import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { createLineSplitter } from '../runtime/line-splitter.ts';
import { pause } from '../runtime/wait.ts';
import { childPids } from '../runtime/process-stat.ts';
import { containedCommand, containedExit, type Containment } from './contain.ts';
import { checkCommand } from './check-command.ts';
import { createTailBuffer } from './tail-buffer.ts';

export interface ChildSpec {
  /** A path, or a name to be found on `env.PATH`. */
  readonly command: string;
  readonly args: readonly string[];
  /** Complete: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running child. Both of its output streams are always read, so it never stalls on a full pipe. */
export interface Child {
  /** Leader of the child's process group; under a PID namespace the process that holds it, not the program itself; of a container its first. */
  readonly pid: number;
  readonly stdin: Writable;
  /** Bytes from stdout, in order; bytes that come while nobody listens are dropped. Returns the way to stop. */
  onOutput(listener: (chunk: Buffer) => void): () => void;
  /** Resolves after the process has ended and what it wrote has been read; does not wait for others that hold its pipes. */
  readonly exited: Promise<ChildExit>;
  /** Signals the child's process group; false when nobody is left. */
  kill(signal: NodeJS.Signals): boolean;
  /** The last of both streams; kept only until `forgetStartup`. */
  startupOutput(): string;
  forgetStartup(): void;
  stderrTail(): string;
}

export interface ChildOptions {
  readonly containment: Containment;
  readonly onStderrLine?: (line: string, truncated: boolean) => void;
}

const tailBytes = 8 * 1024;
const maxLogLineBytes = 64 * 1024;
/** How long the pipes may stay open after the exit before they are given up: a grandchild can hold them for ever. */
const pipeLimitMs = 250;

/** Starts a child. Rejects with `command_not_found`, `command_not_executable`, `folder_not_found` (configuration) or `spawn_failed`. */
export async function startChild(spec: ChildSpec, options: ChildOptions): Promise<Child> {
  const path = await checkCommand(spec);
  const [command, ...args] = containedCommand(options.containment, path, spec.args);
  const process = spawnGroup(spec, command, args);
  const { stdin, stdout, stderr } = process;
  // Whoever writes learns of a broken pipe from the write itself; the exit says the rest.
  stdin.on('error', () => undefined);

  const startup = createTailBuffer(tailBytes);
  const stderrTail = createTailBuffer(tailBytes);
  let starting = true;
  const stderrLines = createLineSplitter({
    onLine: (line) => options.onStderrLine?.(line, false),
    onOverlong: (head) => options.onStderrLine?.(head, true),
    maxLineBytes: maxLogLineBytes,
  });
  const listeners = new Set<(chunk: Buffer) => void>();
  stdout.on('data', (chunk: Buffer) => {
    if (starting) startup.push(chunk);
    for (const listener of listeners) listener(chunk);
  });
  stderr.on('data', (chunk: Buffer) => {
    if (starting) startup.push(chunk);
    stderrTail.push(chunk);
    stderrLines.push(chunk);
  });
  const closed = Promise.all([streamClosed(stdout), streamClosed(stderr)]);
  const ended = new Promise<ChildExit>((resolve) => {
    process.once('exit', (code, signal) => {
      resolve(containedExit(options.containment, { code, signal }));
    });
  });

  if (process.pid === undefined) {
    const [error] = (await once(process, 'error')) as [Error];
    throw spawnFailed(spec, error);
  }
  process.on('error', () => undefined);
  const { pid } = process;
  let killedInit = false;

  const finish = async (): Promise<ChildExit> => {
    const told = await ended;
    // unshare 2.38 fails to pass on the signal of its child and ends with code 1.
    const exit: ChildExit = killedInit ? { code: null, signal: 'SIGKILL' } : told;
    // The rest of the group, at once: its number cannot be another's yet.
    signalGroup(pid, 'SIGKILL');
    const limit = new AbortController();
    await Promise.race([closed, pause(pipeLimitMs, limit.signal)]);
    limit.abort();
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
    stderrLines.end();
    return exit;
  };

  return {
    pid,
    stdin,
    onOutput: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    exited: finish(),
    kill: (signal) => {
      if (options.containment.kind === 'pid_namespace' && signal === 'SIGKILL') {
        killedInit = killNamespace(pid);
        if (killedInit) return true;
      }
      return signalGroup(pid, signal);
    },
    startupOutput: () => startup.text(),
    forgetStartup: () => {
      starting = false;
      startup.clear();
    },
    stderrTail: () => stderrTail.text(),
  };
}

function spawnGroup(
  spec: ChildSpec,
  command: string,
  args: readonly string[],
): ChildProcessWithoutNullStreams {
  try {
    return spawn(command, args, {
      cwd: spec.cwd,
      env: { ...spec.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: signals reach all of it, and a terminal's Ctrl-C reaches none of it.
      detached: true,
    });
  } catch (error) {
    throw spawnFailed(spec, error);
  }
}

async function streamClosed(stream: Readable): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.once('close', resolve);
    // A read error ends the stream as well; the exit tells what happened.
    stream.once('error', () => {
      resolve();
    });
  });
}

/** Kills the first process of the namespace, so that its holder outlives it: the holder's exit then means that all of it is gone. */
function killNamespace(holder: number): boolean {
  return childPids(holder).filter((pid) => signalTo(pid, 'SIGKILL')).length > 0;
}

function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  return signalTo(-pid, signal);
}

/** False where there is nobody any more: it may have ended since it was seen. */
function signalTo(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    if (hasErrno(error, 'ESRCH', 'EPERM')) return false;
    throw error;
  }
}

function spawnFailed(spec: ChildSpec, cause: unknown): AppError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new AppError('infrastructure', 'spawn_failed', `${spec.command} could not be started: ${why}`, {
    hint: 'The machine may be out of processes, memory or file descriptors.',
    cause,
  });
}
