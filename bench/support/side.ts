import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface SideOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly execArgv?: readonly string[];
}

/** A program of the bench in a process of its own, asked by messages; it ends when its channel does. */
export interface Side extends AsyncDisposable {
  readonly pid: number;
  /** Sends a request and waits for its answer; one at a time. Rejects with what the program failed with. */
  ask<T>(request: Readonly<Record<string, unknown>>): Promise<T>;
}

const endLimitMs = 15_000;

export function startSide(program: URL, options: SideOptions = {}): Side {
  const child = fork(program, [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...(options.execArgv ?? [])],
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
  });
  const exited = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    ask: (request) => answerOf(child, request),
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), endLimitMs);
      if (child.exitCode === null && child.signalCode === null) await exited;
      clearTimeout(timer);
    },
  };
}

async function answerOf<T>(child: ChildProcess, request: object): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onMessage = (message: unknown): void => {
    const { error, result } = message as { readonly error?: string; readonly result?: T };
    if (error !== undefined) reject(new Error(error));
    else resolve(result as T);
  };
  const onExit = (code: number | null, signal: string | null): void => {
    reject(new Error(`A program of the bench ended too early: ${code ?? signal}`));
  };
  child.once('message', onMessage).once('exit', onExit);
  child.send(request);
  try {
    return await promise;
  } finally {
    child.off('message', onMessage).off('exit', onExit);
  }
}
