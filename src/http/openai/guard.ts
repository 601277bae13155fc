import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import { checkApiKey, checkHostAndOrigin, isLoopback, type GuardSettings } from '../guard.ts';

const allowedMethods = 'GET, HEAD, POST, DELETE, OPTIONS';
const exposedHeaders = 'retry-after, x-request-id, x-capstan-ignored';

/**
 * What every request of a scope passes: an id, CORS headers on whatever it is answered, the check of its origin. Pages of this machine may call,
 * others where they are allowed or a key is needed: a page does not have that by itself.
 */
export function openToPages(server: FastifyInstance, guard: GuardSettings): void {
  server.addHook('onRequest', async (request, reply) => {
    allowPages(request, reply);
    checkOrigin(request, guard);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined)
      return reply.code(204).send();
  });
}

/** The check of the key, after that: a preflight carries none. */
export function needKey(server: FastifyInstance, { apiKey }: GuardSettings): void {
  if (apiKey === null) return;
  server.addHook('onRequest', async (request) => {
    checkApiKey(request, apiKey);
  });
}

/** The headers that let a page read the answer, and the request's id. */
export function allowPages(request: FastifyRequest, reply: FastifyReply): void {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : newId();
  void reply.header('x-request-id', id);
  void reply.header('vary', 'Origin');
  void reply.header('access-control-allow-origin', request.headers.origin ?? '*');
  void reply.header('access-control-expose-headers', exposedHeaders);
  if (request.method !== 'OPTIONS') return;
  const asked = request.headers['access-control-request-headers'];
  void reply.header('access-control-allow-methods', allowedMethods);
  void reply.header('access-control-allow-headers', asked ?? 'authorization, content-type');
  void reply.header('access-control-max-age', '600');
}

function checkOrigin(request: FastifyRequest, guard: GuardSettings): void {
  const { origin } = request.headers;
  const isFree = guard.apiKey !== null || (origin !== undefined && isLoopbackOrigin(origin));
  checkHostAndOrigin(
    request,
    isFree && origin !== undefined ? { ...guard, allowedOrigins: [origin] } : guard,
  );
}

function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null && isLoopback(url.hostname);
}

/** For what is this machine's alone, such as metrics: callers on it, and those with the key. */
export function checkLocalOrKey(request: FastifyRequest, { apiKey }: GuardSettings): void {
  const from = request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  if (isLoopback(from)) return;
  if (apiKey !== null) checkApiKey(request, apiKey);
  else throw new AppError('auth', 'invalid_api_key', 'This is for callers on the same machine.');
}
