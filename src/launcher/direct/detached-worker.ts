import { spawn } from 'node:child_process';
import { mkdirSync, openSync, closeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../runtime/app-error.ts';
import { startDeadline } from '../../runtime/deadline.ts';
import { readStart } from '../read-start.ts';

export interface DetachedWorkerOptions {
  /** The job type that it takes, for messages. */
  readonly type: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the worker. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What it says goes here, after what is there. */
  readonly logFile: string;
  readonly startLimitMs: number;
  /** Whether to wait until it takes jobs. */
  readonly wait: boolean;
}

/**
 * Starts a `capstan worker` that outlives this process, and resolves with its pid once it takes jobs.
 * Rejects with what it says that it failed with, or `worker_start_failed`; it is ended then.
 */
export async function startDetachedWorker(
  options: DetachedWorkerOptions,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  mkdirSync(dirname(options.logFile), { recursive: true, mode: 0o700 });
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(options.command, [...options.args], {
    cwd: options.cwd,
    env: options.env,
    // Where nobody waits, nobody reads: a pipe would break under it, and end it.
    stdio: ['ignore', options.wait ? 'pipe' : log, log],
    // A session of its own: neither a terminal's Ctrl-C nor its end reaches it.
    detached: true,
  });
  closeSync(log);
  const { stdout } = child;
  const failed = (what: string): AppError =>
    new AppError('infrastructure', 'worker_start_failed', `The ${options.type} worker ${what}.`, {
      hint: 'See its log.',
    });
  const reader = readStart();
  stdout?.on('data', (chunk: Buffer) => {
    reader.push(chunk);
  });
  const over = Promise.withResolvers<never>();
  child.once('error', over.reject);
  child.once('exit', (code, killedBy) => {
    const end = (): void => {
      const how = killedBy ?? `exit code ${String(code)}`;
      over.reject(failed(`ended with ${how} before it took jobs`));
    };
    // What it said last may still be on its way.
    if (stdout === null || stdout.closed) end();
    else stdout.once('close', end);
  });
  using limit = startDeadline(options.startLimitMs, () =>
    failed(`did not take jobs within ${options.startLimitMs} ms`),
  );
  const stop = AbortSignal.any([signal, limit.signal]);
  const onAbort = (): void => {
    over.reject(stop.reason);
  };
  stop.addEventListener('abort', onAbort, { once: true });
  try {
    const spawned = Promise.withResolvers<void>();
    child.once('spawn', () => {
      spawned.resolve();
    });
    await Promise.race([options.wait ? reader.started : spawned.promise, over.promise]);
    return child.pid ?? 0;
  } catch (error) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    throw error instanceof AppError && error.code === 'worker_start_failed'
      ? withLog(error, await tailOf(options.logFile))
      : error;
  } finally {
    stop.removeEventListener('abort', onAbort);
    // It says nothing more there, and must not keep this process.
    stdout?.destroy();
    child.unref();
  }
}

function withLog({ kind, code, message, hint }: AppError, log: string): AppError {
  return new AppError(kind, code, message, { hint: log === '' ? hint : `Its log ends with: ${log}` });
}

const tailBytes = 2_000;

async function tailOf(file: string): Promise<string> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  const { buffer, bytesRead } = await handle.read({
    buffer: Buffer.alloc(tailBytes),
    position: Math.max(0, size - tailBytes),
  });
  return buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-5).join('\n');
}
