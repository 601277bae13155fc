import { z } from 'zod';
import { AppError } from '../../runtime/app-error.ts';
import { deferred, within, type Deferred } from '../../runtime/wait.ts';
import type { Child } from '../../supervisor/child.ts';

export interface DevtoolsCall {
  readonly signal: AbortSignal;
  readonly limitMs: number;
  /** The page that is spoken to; the browser itself where there is none. */
  readonly sessionId?: string;
}

/** Chromium's DevTools protocol over its pipe: JSON messages with a NUL after each. */
export interface Devtools {
  /** Rejects with `browser_died`, `browser_timeout` (kind timeout), `browser_refused` or the signal's reason. */
  call(method: string, params: Readonly<Record<string, unknown>>, options: DevtoolsCall): Promise<unknown>;
  /** Calls back for each event of a page, until the returned function is called. */
  onEvent(listener: (event: DevtoolsEvent) => void): () => void;
}

export interface DevtoolsEvent {
  readonly method: string;
  readonly params: unknown;
  readonly sessionId: string | undefined;
}

const messageSchema = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  sessionId: z.string().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

const maxMessageBytes = 256 * 1024 * 1024;

export function openDevtools(child: Child): Devtools {
  const waiting = new Map<number, Deferred<unknown>>();
  const listeners = new Set<(event: DevtoolsEvent) => void>();
  let lastId = 0;
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  let gone: AppError | null = null;

  function fail(error: AppError): void {
    gone = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  function take(text: string): void {
    const message = readMessage(text);
    if (message === null) return;
    if (message.id === undefined) {
      const { method = '', params, sessionId } = message;
      for (const listener of listeners) listener({ method, params, sessionId });
      return;
    }
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) waiter?.resolve(message.result);
    else
      waiter?.reject(
        new AppError('infrastructure', 'browser_refused', `Chromium refuses: ${message.error.message}`),
      );
  }

  child.onOutput((chunk) => {
    let rest = chunk;
    for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0)) {
      const text = Buffer.concat([...chunks, rest.subarray(0, end)]).toString('utf8');
      chunks = [];
      sizeBytes = 0;
      rest = rest.subarray(end + 1);
      take(text);
    }
    if (rest.length === 0) return;
    chunks.push(rest);
    sizeBytes += rest.length;
    if (sizeBytes <= maxMessageBytes) return;
    chunks = [];
    child.kill('SIGKILL');
  });
  void child.exited.then(() => {
    fail(died(child.stderrTail()));
  });

  return {
    async call(method, params, { signal, limitMs, sessionId }) {
      if (gone !== null) throw gone;
      lastId += 1;
      const id = lastId;
      const waiter = deferred<unknown>();
      // Whoever waits may have left by its limit before the answer comes.
      waiter.promise.catch(() => undefined);
      waiting.set(id, waiter);
      child.stdin.write(
        `${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`,
      );
      try {
        return await within(waiter.promise, limitMs, () => tooSlow(method, limitMs), signal);
      } finally {
        waiting.delete(id);
      }
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Null for what is no message: the call that it may have answered runs into its limit. */
function readMessage(text: string): z.infer<typeof messageSchema> | null {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function tooSlow(method: string, limitMs: number): AppError {
  return new AppError(
    'timeout',
    'browser_timeout',
    `Chromium did not answer ${method} within ${String(Math.round(limitMs / 1000))} s.`,
    {
      hint: 'Give it less to draw at once.',
    },
  );
}

function died(stderr: string): AppError {
  return new AppError('infrastructure', 'browser_died', 'Chromium ended in the middle of its work.', {
    hint: 'It is started again. Where it happens each time, the drawing needs more memory than there is.',
    details: { stderr },
  });
}
