/** JSON-RPC 2.0 as Codex speaks it: without the `jsonrpc` field. https://www.jsonrpc.org/specification */
export type RpcId = number | string;

export interface RpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type RpcMessage =
  | { readonly kind: 'request'; readonly id: RpcId; readonly method: string; readonly params: unknown }
  | { readonly kind: 'notification'; readonly method: string; readonly params: unknown }
  | { readonly kind: 'result'; readonly id: RpcId; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: RpcId; readonly error: RpcErrorBody };

export const rpcCodes = { methodNotFound: -32601, internalError: -32603 } as const;

/** The message that a JSON value is, or null. */
export function parseRpcMessage(value: unknown): RpcMessage | null {
  if (!isObject(value)) return null;
  const { id, method, params, result, error } = value;
  if (typeof method === 'string') {
    if (id === undefined || id === null) return { kind: 'notification', method, params };
    return isId(id) ? { kind: 'request', id, method, params } : null;
  }
  if (!isId(id) || method !== undefined) return null;
  if (isErrorBody(error)) return { kind: 'error', id, error };
  return 'result' in value ? { kind: 'result', id, result } : null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is RpcId {
  return typeof value === 'number' || typeof value === 'string';
}

function isErrorBody(value: unknown): value is RpcErrorBody {
  return isObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string';
}
