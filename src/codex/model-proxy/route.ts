import type { IncomingMessage, ServerResponse } from 'node:http';
import { tokenDigest, type ProxyAttempt } from './attempt.ts';
import { sendError, type LocalError } from './error-body.ts';
import type { Exchange } from './exchange.ts';
import { endpointUrl } from './upstream.ts';

export type Routed = Pick<Exchange, 'req' | 'res' | 'attempt' | 'endpoint' | 'url'>;

/** Where the client's base URL leads. */
export const basePath = '/v1';

/** Finds the attempt and the target of a request, or answers it with the refusal and gives null. */
export function route(
  req: IncomingMessage,
  res: ServerResponse,
  known: { readonly attempts: ReadonlyMap<string, ProxyAttempt>; readonly maxConcurrent: number },
): Routed | null {
  const found = resolve(req, known);
  if ('status' in found) {
    // Read and dropped: a connection closed over an unread body may take the answer with it.
    req.resume();
    sendError(res, found);
    return null;
  }
  return { req, res, ...found };
}

function resolve(
  req: IncomingMessage,
  known: { readonly attempts: ReadonlyMap<string, ProxyAttempt>; readonly maxConcurrent: number },
): Omit<Routed, 'req' | 'res'> | LocalError {
  const [path = '', search = ''] = (req.url ?? '').split(/\?(.*)/s, 2);
  const endpoint = findEndpoint(req.method, path);
  if (endpoint === null) {
    const message = 'Only POST /responses and GET /models are here.';
    return { status: 404, type: 'invalid_request_error', code: 'not_found', message };
  }
  const token = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  const attempt = token === undefined ? undefined : known.attempts.get(tokenDigest(token));
  if (attempt === undefined) {
    const message = 'This token is unknown, or its attempt is over.';
    return { status: 401, type: 'authentication_error', code: 'token_unknown', message };
  }
  if (attempt.refused !== null) {
    const { status, message: refusal } = attempt.refused;
    const message = `${refusal} It is not asked again.`;
    return { status, type: 'authentication_error', code: 'key_refused', message };
  }
  if (attempt.active >= known.maxConcurrent) {
    const message = 'Too many requests of one attempt at the same time.';
    return { status: 503, type: 'server_error', code: 'too_many_requests_at_once', message };
  }
  return { attempt, endpoint, url: endpointUrl(attempt.base, endpoint, search) };
}

function findEndpoint(method: string | undefined, path: string): Exchange['endpoint'] | null {
  if (method === 'POST' && path === `${basePath}/responses`) return '/responses';
  if (method === 'GET' && path === `${basePath}/models`) return '/models';
  return null;
}
