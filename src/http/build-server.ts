import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, { type FastifyInstance } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { AppError } from '../runtime/app-error.ts';
import type { ServerDeps } from './deps.ts';
import { checkApiKey, checkHostAndOrigin } from './guard.ts';
import { problemMapper, sendProblem, toProblem } from './problems.ts';
import { artifactRoutes } from './routes/artifacts.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { jobRoutes } from './routes/jobs.ts';
import { workerRoutes } from './routes/workers.ts';

const bodyLimitBytes = 4 * 1024 * 1024;
const openPaths = new Set(['/healthz', '/livez', '/readyz']);

/** The HTTP surface, ready to `listen` or `inject`; it opens nothing by itself and ends with `close()`. */
export async function buildServer(deps: ServerDeps): Promise<FastifyInstance> {
  const server = Fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: 60_000,
    forceCloseConnections: true,
    return503OnClosing: true,
    exposeHeadRoutes: true,
  }).withTypeProvider<ZodTypeProvider>();
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler(problemMapper(deps.logger));
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const error = new AppError('user', 'route_not_found', `There is nothing at ${request.method} ${path}.`, {
      hint: 'See /docs.',
    });
    sendProblem(reply, toProblem(error));
  });
  server.addHook('onRequest', (request, _reply, done) => {
    checkHostAndOrigin(request, deps.guard);
    if (deps.guard.apiKey !== null && !openPaths.has(request.url.split('?')[0] ?? ''))
      checkApiKey(request, deps.guard.apiKey);
    done();
  });

  await server.register(helmet, { contentSecurityPolicy: false, hsts: false });
  await server.register(swagger, {
    openapi: {
      info: {
        title: 'Capstan',
        version: deps.version,
        description: 'Coding agents as dependable background workers.',
      },
    },
    transform: jsonSchemaTransform,
  });
  await server.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
  await server.register(healthRoutes, deps);
  await server.register(jobRoutes, { prefix: '/api', ...deps });
  await server.register(eventRoutes, { prefix: '/api', ...deps });
  await server.register(artifactRoutes, { prefix: '/api', ...deps });
  await server.register(workerRoutes, { prefix: '/api', ...deps });
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  return server as unknown as FastifyInstance;
}
