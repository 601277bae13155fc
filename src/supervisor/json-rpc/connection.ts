import { AppError } from '../../runtime/app-error.ts';
import { deferred, within, type Deferred } from '../../runtime/wait.ts';
import type { ChannelFault, MessageChannel } from './channel.ts';
import { answerRequest, type RequestHandler } from './answer-request.ts';
import { parseRpcMessage, type RpcErrorBody, type RpcId, type RpcMessage } from './rpc-message.ts';

/** What the other side did wrong; it is counted and reported, and the connection goes on. */
export interface RpcFault {
  /**
   * `late_answer`: to a request that was answered, timed out or was aborted before. `unknown_answer`: to none of ours.
   * `failed_listener`: a notification that our own listener threw on.
   */
  readonly kind:
    | ChannelFault['kind']
    | 'not_rpc'
    | 'late_answer'
    | 'unknown_answer'
    | 'unanswered_request'
    | 'failed_listener';
  readonly detail: string;
}

export interface ConnectionOptions {
  /**
   * Called in the order of arrival, and before the code that waits for an answer of the same chunk goes on: who waits for
   * notifications about an answer's subject must keep those that come before. Must not wait.
   */
  readonly onNotification: (method: string, params: unknown) => void;
  readonly requestHandlers: Readonly<Record<string, RequestHandler>>;
  readonly onFault: (fault: RpcFault) => void;
  /** A request of the other side that its handler has not answered by then gets an error. */
  readonly answerLimitMs?: number;
}

export interface RequestOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export type FaultCounts = Readonly<Partial<Record<RpcFault['kind'], number>>>;

/** Requests and notifications, both ways, over a channel. */
export interface RpcConnection {
  /**
   * The other side's result. Rejects with `rpc_error` (its error in the details: `rpcCode`, `data`), `rpc_timeout`, `connection_closed`,
   * `connection_congested`, or the signal's reason; nothing is told to the other side when we stop waiting.
   */
  request(method: string, params: unknown, options: RequestOptions): Promise<unknown>;
  notify(method: string, params?: unknown): Promise<void>;
  /** Resolves with the reason when the connection is gone. */
  readonly closed: Promise<string>;
  /** How many requests wait for their answer. */
  pending(): number;
  faults(): FaultCounts;
  close(): void;
}

interface PendingRequest {
  readonly method: string;
  readonly answer: Deferred<unknown>;
}

const defaultAnswerLimitMs = 60_000;

export function createConnection(channel: MessageChannel, options: ConnectionOptions): RpcConnection {
  const pending = new Map<RpcId, PendingRequest>();
  const counts: Partial<Record<RpcFault['kind'], number>> = {};
  const closed = deferred<string>();
  const over = new AbortController();
  let lastId = 0;
  const isOver = (): boolean => over.signal.aborted;

  const fault = (kind: RpcFault['kind'], detail: string): void => {
    counts[kind] = (counts[kind] ?? 0) + 1;
    options.onFault({ kind, detail });
  };
  const settle = (id: RpcId, apply: (request: PendingRequest) => void): void => {
    const request = pending.get(id);
    if (request !== undefined) {
      pending.delete(id);
      apply(request);
      return;
    }
    const ours = typeof id === 'number' && Number.isInteger(id) && id > 0 && id <= lastId;
    fault(ours ? 'late_answer' : 'unknown_answer', `answer to request ${String(id)}`);
  };
  const answer = async (message: RpcMessage & { readonly kind: 'request' }): Promise<void> => {
    const { id, method } = message;
    const limitMs = options.answerLimitMs ?? defaultAnswerLimitMs;
    const handler = Object.hasOwn(options.requestHandlers, method)
      ? options.requestHandlers[method]
      : undefined;
    const reply = await answerRequest(message, { handler, limitMs, signal: over.signal });
    if (isOver()) return;
    if (reply.fault !== null) fault('unanswered_request', `${method}: ${reply.fault}`);
    try {
      await channel.send({ id, ...reply.body });
    } catch (error) {
      if (!isOver()) fault('unanswered_request', `${method}: ${String(error)}`);
    }
  };
  const notified = (method: string, params: unknown): void => {
    try {
      options.onNotification(method, params);
    } catch (error) {
      fault('failed_listener', `${method}: ${String(error)}`);
    }
  };

  channel.listen({
    message: (value) => {
      const message = parseRpcMessage(value);
      if (message === null) fault('not_rpc', JSON.stringify(value).slice(0, 200));
      else if (message.kind === 'notification') notified(message.method, message.params);
      else if (message.kind === 'request') void answer(message);
      else if (message.kind === 'result') {
        settle(message.id, (request) => {
          request.answer.resolve(message.result);
        });
      } else {
        settle(message.id, (request) => {
          request.answer.reject(rpcError(request.method, message.error));
        });
      }
    },
    fault: ({ kind, head }) => {
      fault(kind, head);
    },
    closed: (reason) => {
      over.abort(connectionClosed(reason));
      for (const request of pending.values()) request.answer.reject(connectionClosed(reason));
      pending.clear();
      closed.resolve(reason);
    },
  });

  return {
    request: async (method, params, { signal, timeoutMs }) => {
      signal.throwIfAborted();
      over.signal.throwIfAborted();
      lastId += 1;
      const id = lastId;
      const request: PendingRequest = { method, answer: deferred<unknown>() };
      pending.set(id, request);
      const { promise, reject } = request.answer;
      channel.send(params === undefined ? { id, method } : { id, method, params }).catch(reject);
      try {
        return await within(promise, timeoutMs, () => timedOut(method, timeoutMs), signal);
      } finally {
        pending.delete(id);
      }
    },
    notify: async (method, params) => {
      over.signal.throwIfAborted();
      await channel.send(params === undefined ? { method } : { method, params });
    },
    closed: closed.promise,
    pending: () => pending.size,
    faults: () => ({ ...counts }),
    close: () => {
      channel.close();
    },
  };
}

function rpcError(method: string, { code, message, data }: RpcErrorBody): AppError {
  return new AppError('infrastructure', 'rpc_error', `${method} was refused: ${message}`, {
    details: { method, rpcCode: code, rpcMessage: message, data },
  });
}

function timedOut(method: string, timeoutMs: number): AppError {
  return new AppError(
    'infrastructure',
    'rpc_timeout',
    `${method} was not answered within ${String(timeoutMs)} ms.`,
    {
      details: { method },
    },
  );
}

function connectionClosed(reason: string): AppError {
  return new AppError('infrastructure', 'connection_closed', `The connection is gone: ${reason}.`, {
    hint: 'The process is started again by its supervisor.',
  });
}
