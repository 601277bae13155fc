import { AppError } from '../runtime/app-error.ts';
import type { Child, ChildExit } from './child.ts';
import type { ChildSource } from './child-source.ts';
import { describeExit } from './describe-exit.ts';
import { endChild } from './end-child.ts';
import { killMarked } from './kill-marked.ts';
import type { SupervisorTime } from './time.ts';
import type { FullSupervisorOptions } from './supervisor-options.ts';

export interface LifeListener<T> {
  spawned(child: Child): void;
  ready(value: T, startupLatencyMs: number): void;
  /** The child can no longer be used, though it may still have to be ended. */
  lost(how: 'handshake_failed' | 'exited'): void;
}

export interface LifeEnd {
  readonly pid: number | null;
  readonly exit: ChildExit;
  readonly error: AppError | null;
}

const noExit: ChildExit = { code: null, signal: null };
const leftoversLimitMs = 2_000;
const exitedEarly = 'worker_exited';
const exitNewsMs = 250;

/**
 * One life of the child: start, ready, exit; nothing of it is left when this resolves.
 * `ending` aborts to have it ended; it is then not reported as lost.
 */
export async function liveOnce<T>(
  source: ChildSource,
  options: FullSupervisorOptions<T>,
  { listener, ending }: { readonly listener: LifeListener<T>; readonly ending: AbortSignal },
): Promise<LifeEnd> {
  const { time } = options;
  const launchedMs = time.monotonicMs();
  let child: Child;
  try {
    child = await source.start(options);
  } catch (error) {
    if (!ending.aborted) listener.lost('exited');
    return { pid: null, exit: noExit, error: asAppError(error) };
  }
  listener.spawned(child);
  let error: AppError | null = null;
  try {
    const value = await becomeReady(source, child, { options, ending });
    child.forgetStartup();
    if (!ending.aborted) listener.ready(value, time.monotonicMs() - launchedMs);
    await Promise.race([child.exited, aborted(ending)]);
    if (!ending.aborted) listener.lost('exited');
  } catch (cause) {
    if (!ending.aborted) {
      error = asAppError(cause);
      listener.lost(error.code === exitedEarly ? 'exited' : 'handshake_failed');
    }
  }
  return end(child, error, options);
}

/** The child made usable, or a rejection when it ends first, takes too long, or `ending` aborts. */
async function becomeReady<T>(
  source: ChildSource,
  child: Child,
  { options, ending }: { readonly options: FullSupervisorOptions<T>; readonly ending: AbortSignal },
): Promise<T> {
  const over = new AbortController();
  const failed = (code: string, what: string): AppError =>
    new AppError('infrastructure', code, `${source.name} ${what} before it was ready.`, {
      hint: 'Its output is in the details; try the command by hand with the same environment.',
      details: { output: child.startupOutput() },
    });
  const cancel = options.time.after(options.startupTimeoutMs, () => {
    over.abort(failed('startup_timeout', `took longer than ${String(options.startupTimeoutMs)} ms`));
  });
  const onEnding = (): void => {
    over.abort(ending.reason);
  };
  ending.addEventListener('abort', onEnding, { once: true });
  void child.exited.then((exit) => {
    over.abort(failed(exitedEarly, `ended with ${describeExit(exit)}`));
  });
  try {
    if (ending.aborted) onEnding();
    const failure = aborted(over.signal).then(() => {
      throw over.signal.reason;
    });
    const ready = async (): Promise<T> => options.ready(child, over.signal);
    return await Promise.race([failure, ready()]);
  } catch (error) {
    // A broken pipe often fails the handshake a moment before the exit is known, which says more.
    if (isConnectionClosed(error)) await Promise.race([child.exited, paused(options.time, exitNewsMs)]);
    if (over.signal.aborted) throw over.signal.reason;
    const fault = withOutput(asAppError(error), child.startupOutput());
    over.abort(fault);
    throw fault;
  } finally {
    cancel();
    ending.removeEventListener('abort', onEnding);
  }
}

async function end<T>(
  child: Child,
  error: AppError | null,
  options: FullSupervisorOptions<T>,
): Promise<LifeEnd> {
  const { graces, time, onEvent, marker, containment } = options;
  const { pid } = child;
  const onGraceExceeded = (graceMs: number): void => {
    onEvent({ type: 'shutdown_grace_exceeded', pid, graceMs });
  };
  try {
    const exit = await endChild(child, { graces, time, onGraceExceeded });
    if (containment.kind === 'process_group' && marker !== null) {
      await killMarked(marker, { signal: new AbortController().signal, limitMs: leftoversLimitMs });
    }
    return { pid, exit, error };
  } catch (left) {
    return { pid, exit: noExit, error: error ?? asAppError(left) };
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}

function isConnectionClosed(error: unknown): boolean {
  return error instanceof AppError && error.code === 'connection_closed';
}

function withOutput({ kind, code, message, hint, cause, details }: AppError, output: string): AppError {
  return new AppError(kind, code, message, { hint, cause, details: { ...details, output } });
}

async function paused(time: SupervisorTime, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    time.after(ms, resolve);
  });
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError('infrastructure', 'handshake_failed', message, { cause: error });
}
