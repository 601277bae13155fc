import type { FastifyInstance } from 'fastify';

const allowedHeaders = 'authorization, content-type, last-event-id';
const allowedMethods = 'GET, HEAD, POST';
const exposedHeaders = 'location, etag, retry-after';
const preflightSeconds = '600';

/**
 * Lets pages of the allowed origins read answers, and answers their preflights (https://fetch.spec.whatwg.org/#http-cors-protocol).
 * Register it behind the guard, which has refused every other origin by then, and before the key is checked: a preflight carries none.
 */
export function allowOrigins(server: FastifyInstance, allowedOrigins: readonly string[]): void {
  server.addHook('onRequest', async (request, reply) => {
    void reply.header('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !allowedOrigins.includes(origin)) return;
    void reply.header('access-control-allow-origin', origin);
    void reply.header('access-control-expose-headers', exposedHeaders);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined)
      return;
    void reply.header('access-control-allow-methods', allowedMethods);
    void reply.header('access-control-allow-headers', allowedHeaders);
    void reply.header('access-control-max-age', preflightSeconds);
    return reply.code(204).send();
  });
}
