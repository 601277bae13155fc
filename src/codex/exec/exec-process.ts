import { spawn } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';
import { containedCommand, containedExit, type Containment } from '../../supervisor/contain.ts';
import { createTailBuffer } from '../../supervisor/tail-buffer.ts';
import { hasErrno } from '../../runtime/app-error.ts';
import { createLineSplitter } from '../../runtime/line-splitter.ts';
import { deferred, pause } from '../../runtime/wait.ts';

export interface ExecSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The whole of stdin. */
  readonly input: string;
  /** Becomes descriptor 3. */
  readonly config: FileHandle;
  readonly containment: Containment;
  readonly onLine: (line: string) => void;
}

export interface ExecExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface ExecProcess {
  /** Resolves when the process has ended and what it said has been read; it never rejects. */
  readonly exited: Promise<ExecExit>;
  /** Ends it and all in its namespace or group: SIGTERM, which lets it close its thread, then SIGKILL. */
  end(): Promise<void>;
}

const stderrBytes = 16 * 1024;
const termGraceMs = 2_000;
/** What it started may hold its pipes after its end. */
const pipeLimitMs = 500;

export function startExecProcess(spec: ExecSpec): ExecProcess {
  const [command, ...args] = containedCommand(spec.containment, spec.command, spec.args);
  const child = spawn(command, args, {
    cwd: spec.cwd,
    env: { ...spec.env },
    stdio: ['pipe', 'pipe', 'pipe', spec.config.fd],
    detached: true,
  });
  const { stdin, stdout, stderr } = child;
  // Asked for above; the types do not follow a list of four.
  if (stdin === null || stdout === null || stderr === null) throw new TypeError('codex exec has no pipes');
  const tail = createTailBuffer(stderrBytes);
  const lines = createLineSplitter({ onLine: spec.onLine, onOverlong: () => undefined });
  stdout.on('data', (chunk: Buffer) => {
    lines.push(chunk);
  });
  stderr.on('data', (chunk: Buffer) => {
    tail.push(chunk);
  });
  // A process that ends early takes no more input; its exit says why.
  stdin.on('error', () => undefined);
  stdin.end(spec.input);

  const gone = new AbortController();
  const ended = deferred<{ code: number | null; signal: NodeJS.Signals | null }>();
  child.once('exit', (code, signal) => {
    ended.resolve({ code, signal });
  });
  child.once('error', (error) => {
    tail.push(Buffer.from(error.message));
    ended.resolve({ code: null, signal: null });
  });
  const closed = deferred<void>();
  child.once('close', () => {
    closed.resolve();
  });
  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid !== undefined) signalGroup(child.pid, signal);
  };
  const finish = async (): Promise<ExecExit> => {
    const exit = await ended.promise;
    gone.abort();
    kill('SIGKILL');
    const limit = new AbortController();
    await Promise.race([closed.promise, pause(pipeLimitMs, limit.signal)]);
    limit.abort();
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
    lines.end();
    return { ...containedExit(spec.containment, exit), stderr: tail.text() };
  };
  const exited = finish();
  return {
    exited,
    async end() {
      if (gone.signal.aborted) return;
      kill('SIGTERM');
      await pause(termGraceMs, gone.signal);
      kill('SIGKILL');
      await exited;
    },
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!hasErrno(error, 'ESRCH', 'EPERM')) throw error;
  }
}
