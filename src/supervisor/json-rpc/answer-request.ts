import { AppError } from '../../runtime/app-error.ts';
import { within } from '../../runtime/wait.ts';
import { rpcCodes, type RpcErrorBody } from './rpc-message.ts';

/** Gives the result that the other side gets; a rejection becomes an error answer. `signal` aborts with the connection. */
export type RequestHandler = (params: unknown, signal: AbortSignal) => Promise<unknown>;

export interface Answer {
  readonly body: { readonly result: unknown } | { readonly error: RpcErrorBody };
  /** What went wrong on our side, or null. */
  readonly fault: string | null;
}

export interface AnswerOptions {
  readonly handler: RequestHandler | undefined;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** The answer to a request of the other side: always one, whatever the handler does, for a turn hangs on it. */
export async function answerRequest(
  { method, params }: { readonly method: string; readonly params: unknown },
  { handler, limitMs, signal }: AnswerOptions,
): Promise<Answer> {
  if (handler === undefined) {
    return failed(rpcCodes.methodNotFound, `The method ${method} is not supported.`);
  }
  try {
    const handled = async (): Promise<unknown> => handler(params, signal);
    const late = (): AppError =>
      new AppError('infrastructure', 'rpc_timeout', `${method} took longer than ${String(limitMs)} ms.`);
    const result = (await within(handled(), limitMs, late, signal)) ?? null;
    return { body: { result }, fault: null };
  } catch (error) {
    return failed(rpcCodes.internalError, error instanceof Error ? error.message : String(error));
  }
}

function failed(code: number, message: string): Answer {
  return { body: { error: { code, message } }, fault: message };
}
