import type { Socket } from 'node:net';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, {
  type ConnectionError,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { AppError } from '../runtime/app-error.ts';
import { watchMethods } from './allowed-methods.ts';
import { answerClientError } from './client-error.ts';
import { allowOrigins } from './cors.ts';
import type { ServerDeps } from './deps.ts';
import { documentInfo, transform, transformObject } from './documents.ts';
import { checkApiKey, checkHostAndOrigin } from './guard.ts';
import { problemMapper } from './problems.ts';
import { artifactRoutes } from './routes/artifacts.ts';
import { eventRoutes } from './routes/events.ts';
import { metricsRoutes } from './routes/gateway-health.ts';
import { healthRoutes } from './routes/health.ts';
import { jobRoutes } from './routes/jobs.ts';
import { openAiRoutes } from './routes/openai.ts';
import { workerRoutes } from './routes/workers.ts';

const bodyLimitBytes = 4 * 1024 * 1024;
const openPaths = new Set(['/healthz', '/livez', '/readyz']);

/** The documentation is the same for everybody and holds no data; a browser that opens it has no way to send a key. */
function isDocumentation({ url = '' }: FastifyRequest['routeOptions']): boolean {
  return url === '/openapi.json' || url === '/docs' || url.startsWith('/docs/');
}

/** An answer is never a page; /docs, which is one, runs its own files alone. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'";
const docsPolicy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** The HTTP surface, ready to `listen` or `inject`; it opens nothing by itself and ends with `close()`. */
export async function buildServer(deps: ServerDeps): Promise<FastifyInstance> {
  const onError = problemMapper(deps.logger);
  const server = Fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: 60_000,
    forceCloseConnections: true,
    return503OnClosing: true,
    exposeHeadRoutes: true,
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      onError(error, request, reply);
    },
    clientErrorHandler: (error: ConnectionError, socket: Socket) => {
      answerClientError(error, socket);
    },
  }).withTypeProvider<ZodTypeProvider>();
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler(onError);
  const methodsOf = watchMethods(server);
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const methods = methodsOf(path);
    if (methods.length > 0) {
      void reply.header('allow', methods.join(', '));
      throw new AppError('user', 'method_not_allowed', `${path} does not know ${request.method}.`, {
        hint: `It knows ${methods.join(', ')}.`,
      });
    }
    throw new AppError('user', 'route_not_found', `There is nothing at ${request.method} ${path}.`, {
      hint: 'See /docs.',
    });
  });
  // Before the hooks below, so that it has its own alone: OpenAI's clients know other errors, origins and keys.
  if (deps.openAi !== undefined)
    await server.register(openAiRoutes, { prefix: '/v1', ...deps, ...deps.openAi });
  acceptJsonAlone(server);

  await server.register(helmet, { contentSecurityPolicy: false, hsts: false });
  server.addHook('onRequest', async (request) => {
    checkHostAndOrigin(request, deps.guard);
  });
  allowOrigins(server, deps.guard.allowedOrigins);
  server.addHook('onRequest', async (request) => {
    const { apiKey } = deps.guard;
    const isOpen = openPaths.has(request.url.split('?')[0] ?? '') || isDocumentation(request.routeOptions);
    if (apiKey !== null && !isOpen) checkApiKey(request, apiKey);
  });
  server.addHook('onRequest', async (_request, reply) => {
    void reply.header('content-security-policy', dataPolicy).header('cache-control', 'no-store');
  });

  await server.register(swagger, { openapi: documentInfo(deps.version), transform, transformObject });
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    theme: { title: 'Capstan API' },
    uiConfig: { layout: 'BaseLayout' },
  });
  await server.register(healthRoutes, deps);
  await server.register(jobRoutes, { prefix: '/api', ...deps });
  await server.register(eventRoutes, { prefix: '/api', ...deps });
  await server.register(artifactRoutes, { prefix: '/api', ...deps });
  await server.register(workerRoutes, { prefix: '/api', ...deps });
  if (deps.openAi !== undefined) await server.register(metricsRoutes, deps.openAi);
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  return server;
}

/**
 * A body is JSON or refused: text/plain is what a form of another site can send. Without a body, what type it would have is of no interest:
 * many clients name one all the same.
 */
function acceptJsonAlone(server: FastifyInstance): void {
  server.removeContentTypeParser('text/plain');
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, String(body), done);
  });
}
