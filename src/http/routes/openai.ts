import type { IncomingHttpHeaders } from 'node:http';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';
import { AppError } from '../../runtime/app-error.ts';
import { answering } from '../openai/answer.ts';
import { chatSurface } from '../openai/chat.ts';
import type { OpenAiDeps } from '../openai/deps.ts';
import { openAiErrorMapper } from '../openai/errors.ts';
import { needKey, openToPages } from '../openai/guard.ts';
import { responseSurface } from '../openai/responses.ts';
import { storedResponseRoutes } from '../openai/stored-responses.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The model that was asked for, once it is known to be one of ours. */
    openAiModel: string | null;
  }
}

/** The OpenAI-compatible routes, to be registered under `/v1`: their own errors, CORS, key, counting and bodies. */
export async function openAiRoutes(server: FastifyInstance, deps: OpenAiDeps): Promise<void> {
  const { gateway, limits } = deps;
  server.setErrorHandler(openAiErrorMapper(deps.logger));
  server.setNotFoundHandler((request) => {
    const path = request.url.split('?')[0] ?? '';
    throw new AppError('user', 'route_not_found', `There is nothing at ${request.method} ${path}.`);
  });
  acceptJsonUnderAnyType(server);
  server.decorateRequest('openAiModel', null);
  server.addHook('onRequest', async (request, reply) => {
    const begunMs = performance.now();
    // Fastify tells of answers that were sent; those whose client went away count as well.
    reply.raw.once('close', () => {
      gateway.metrics.requestEnded({
        route: request.routeOptions.url ?? 'none',
        method: request.method,
        status: reply.raw.writableFinished ? reply.raw.statusCode : 499,
        model: request.openAiModel ?? 'none',
        ms: performance.now() - begunMs,
      });
    });
  });
  openToPages(server, deps.guard);
  needKey(server, deps.guard);
  if (limits.rate !== null) {
    await server.register(rateLimit, {
      max: limits.rate.max,
      timeWindow: limits.rate.windowMs,
      keyGenerator: ({ headers, ip }) =>
        headers.authorization === undefined ? ip : digest(headers.authorization),
      errorResponseBuilder: (_request, { ttl, max }) =>
        new AppError('limit', 'rate_limited', `More than ${max} requests came in the allowed time.`, {
          details: { retryAfterMs: ttl },
        }),
    });
  }

  const created = Math.floor(gateway.startedAtMs / 1000);
  const shown = ({ id }: { readonly id: string }) => ({ id, object: 'model', owned_by: 'codex', created });
  server.get('/models', () => ({ object: 'list', data: gateway.catalog.offered.map(shown) }));
  // A name may have slashes.
  server.get<{ readonly Params: { readonly '*': string } }>('/models/*', ({ params }) =>
    shown(gateway.catalog.find(params['*'])),
  );
  const bounded = { bodyLimit: limits.maxBodyBytes };
  server.post('/chat/completions', bounded, answering(deps, chatSurface(gateway)));
  server.post('/responses', bounded, answering(deps, responseSurface(gateway)));
  storedResponseRoutes(server, gateway);
}

/** What `curl -d` sends names another type: whatever is said, the body is JSON or refused. Other sites' forms carry their Origin. */
function acceptJsonUnderAnyType(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    const problem = encodingProblem(request.headers);
    if (problem !== null) {
      done(new AppError('user', 'invalid_request_error', problem));
      return;
    }
    void parse(request, String(body), done);
  });
}

/** Read as what it is not, a body would be refused as bad JSON at best, and be taken with its letters changed at worst. */
function encodingProblem({
  'content-encoding': encoding = 'identity',
  'content-type': type = '',
}: IncomingHttpHeaders): string | null {
  if (encoding.trim().toLowerCase() !== 'identity')
    return `A body with Content-Encoding '${encoding.slice(0, 50)}' is not supported: send it as it is.`;
  const charset = /;\s*charset="?([^";\s]*)/i.exec(type)?.[1] ?? 'utf-8';
  if (/^(utf-?8|us-ascii)$/i.test(charset)) return null;
  return `A body in the charset '${charset.slice(0, 50)}' is not supported: send it as UTF-8.`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
