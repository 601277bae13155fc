import { createChildChannel } from '../../supervisor/json-rpc/child-channel.ts';
import { createConnection, type RpcConnection, type RpcFault } from '../../supervisor/json-rpc/connection.ts';
import type { RequestHandler } from '../../supervisor/json-rpc/answer-request.ts';
import type { Child } from '../../supervisor/child.ts';
import { AppError } from '../../runtime/app-error.ts';
import { deferred, within, type Deferred } from '../../runtime/wait.ts';
import { refusals } from '../decline-request.ts';
import type { ClientMethod, ClientMethods } from '../protocol/client-methods.ts';
import type { DynamicToolCallParams } from '../protocol/generated/v2/DynamicToolCallParams.ts';
import type { DynamicToolCallResponse } from '../protocol/generated/v2/DynamicToolCallResponse.ts';
import type { ServerRequest } from '../protocol/generated/ServerRequest.ts';
import {
  asThreadNotification,
  threadIdOf,
  type ThreadNotification,
} from '../protocol/thread-notification.ts';

/** Gets what the app-server says of one thread, in order, at once. */
export interface ThreadListener {
  onNotification(notification: ThreadNotification): void;
  /** Answers a call of one of the thread's dynamic tools; without it they are refused. The thread's end settles what it returns. */
  onToolCall?(call: DynamicToolCallParams): Promise<DynamicToolCallResponse>;
  /** A request of the agent that was refused. */
  onDeclined(method: string, params: unknown): void;
  /** The process is gone, or what it said could not be read. */
  onGone(error: AppError): void;
}

/** The longest that a tool of a client may take; all other requests of the app-server are answered at once. */
const toolLimitMs = 15 * 60_000;
/** No request of ours waits for the model or for a command. */
const answerLimitMs = 30_000;

/** One running app-server: requests, and notifications handed to the listener of their thread. Ends with its process. */
export class AppServerClient {
  /** What `initialize` said that it is. */
  userAgent = '';
  readonly #connection: RpcConnection;
  readonly #listeners = new Map<string, ThreadListener>();
  /** Threads that were let go of and that the process still holds. */
  readonly #unloading = new Map<string, Deferred<void>>();
  readonly #over = new AbortController();

  constructor(child: Child, onFault: (fault: RpcFault) => void) {
    this.#connection = createConnection(createChildChannel(child), {
      onNotification: (method, params) => {
        this.#notified(method, params);
      },
      requestHandlers: this.#refuseAll(),
      answerLimitMs: toolLimitMs,
      onFault,
    });
    void this.#connection.closed.then((reason) => {
      const error = processExited(reason);
      this.#over.abort(error);
      for (const listener of this.#listeners.values()) listener.onGone(error);
    });
  }

  /** Aborts, with `agent_process_exited`, when the process is gone. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Says who we are; the app-server is ready when it has answered. */
  async initialize(signal: AbortSignal): Promise<void> {
    const params = {
      clientInfo: { name: 'capstan', title: 'Capstan', version: '0.1.0' },
      // `thread/backgroundTerminals/clean` is behind it.
      capabilities: { experimentalApi: true, requestAttestation: false },
    };
    const { userAgent } = await this.#request('initialize', params, signal);
    this.userAgent = userAgent;
    await this.#connection.notify('initialized', {});
  }

  /** Rejects with `rpc_error` where it was refused, `agent_process_exited` or `agent_unresponsive` where there is no answer. */
  async call<M extends ClientMethod>(
    method: M,
    params: ClientMethods[M]['params'],
  ): Promise<ClientMethods[M]['result']> {
    try {
      return await this.#request(method, params, this.#over.signal);
    } catch (error) {
      throw asOurs(error);
    }
  }

  listen(threadId: string, listener: ThreadListener): Disposable {
    this.#listeners.set(threadId, listener);
    if (this.over.aborted) listener.onGone(this.over.reason as AppError);
    return { [Symbol.dispose]: () => void this.#listeners.delete(threadId) };
  }

  /** Lets go of a thread; the process unloads it some time later. */
  async release(threadId: string): Promise<void> {
    this.#unloading.set(threadId, deferred<void>());
    await this.call('thread/unsubscribe', { threadId });
  }

  /** Resolves when the process no longer holds a thread that was released: before that it would go on with its old settings. */
  async whenUnloaded(threadId: string, limitMs: number, signal: AbortSignal): Promise<void> {
    const unloaded = this.#unloading.get(threadId);
    if (unloaded === undefined) return;
    const late = (): AppError =>
      new AppError(
        'infrastructure',
        'thread_not_resumable',
        'Codex still holds the thread of the attempt before.',
      );
    await within(unloaded.promise, limitMs, late, AbortSignal.any([signal, this.over]));
  }

  async #request<M extends ClientMethod>(
    method: M,
    params: ClientMethods[M]['params'],
    signal: AbortSignal,
  ): Promise<ClientMethods[M]['result']> {
    const result = await this.#connection.request(method, params, { signal, timeoutMs: answerLimitMs });
    // The shape is that of the version that the types were generated from.
    return result as ClientMethods[M]['result'];
  }

  #notified(method: string, params: unknown): void {
    const threadId = threadIdOf(params);
    if (threadId === null) return;
    if (method === 'thread/closed') {
      this.#unloading.get(threadId)?.resolve();
      this.#unloading.delete(threadId);
      return;
    }
    const listener = this.#listeners.get(threadId);
    const notification = asThreadNotification(method, params);
    if (listener === undefined || notification === null) return;
    try {
      listener.onNotification(notification);
    } catch (error) {
      listener.onGone(misread(method, error));
    }
  }

  #refuseAll(): Record<string, RequestHandler> {
    const methods = Object.keys(refusals) as ServerRequest['method'][];
    return Object.fromEntries(
      methods.map((method) => {
        const handler: RequestHandler = async (params) => {
          const listener = this.#listeners.get(threadIdOf(params) ?? '');
          if (method === 'item/tool/call' && listener?.onToolCall !== undefined)
            return listener.onToolCall(params as DynamicToolCallParams);
          listener?.onDeclined(method, params);
          const refusal = refusals[method];
          if (refusal === null) throw new Error(`${method} is not supported: Capstan runs unattended.`);
          return refusal;
        };
        return [method, handler];
      }),
    );
  }
}

function processExited(reason: string): AppError {
  return new AppError('infrastructure', 'agent_process_exited', `The Codex app-server is gone: ${reason}.`, {
    hint: 'It is started again by itself, and the next attempt goes on with the thread.',
  });
}

function misread(method: string, cause: unknown): AppError {
  return new AppError('infrastructure', 'agent_protocol', `Codex sent a ${method} that could not be read.`, {
    hint: 'Check that the installed Codex is the version that Capstan is built for: `capstan doctor`.',
    cause,
  });
}

/** A connection's errors in the words of this room. */
function asOurs(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  if (error.code === 'connection_closed') return processExited(error.message);
  if (error.code !== 'rpc_timeout' && error.code !== 'connection_congested') return error;
  return new AppError(
    'infrastructure',
    'agent_unresponsive',
    `The Codex app-server does not answer: ${error.message}`,
    {
      hint: 'Its process is replaced; other jobs in it are resumed.',
      cause: error,
    },
  );
}
