import Fastify, { type FastifyInstance } from 'fastify';
import { AppError } from '../runtime/app-error.ts';
import { answerClientError } from './client-error.ts';
import type { OpenAiDeps } from './openai/deps.ts';
import { openAiErrorMapper, openAiClientError } from './openai/errors.ts';
import { allowPages, openToPages } from './openai/guard.ts';
import { gatewayHealthRoutes, metricsRoutes } from './routes/gateway-health.ts';
import { openAiRoutes } from './routes/openai.ts';

export interface GatewayServerDeps extends OpenAiDeps {
  readonly isMetricsEnabled: boolean;
}

/** The gateway's HTTP surface when it runs alone, ready to `listen`; it opens nothing by itself and ends with `close()`. */
export async function buildGatewayServer(deps: GatewayServerDeps): Promise<FastifyInstance> {
  const onError = openAiErrorMapper(deps.logger);
  const server = Fastify({
    requestTimeout: 60_000,
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply) => {
      allowPages(request, reply);
      onError(error, request, reply);
    },
    clientErrorHandler: (error, socket) => {
      answerClientError(error, socket, openAiClientError);
    },
  });
  server.setErrorHandler(onError);
  await server.register(async (scope) => {
    openToPages(scope, deps.guard);
    scope.setNotFoundHandler((request) => {
      const path = request.url.split('?')[0] ?? '';
      throw new AppError('user', 'route_not_found', `There is nothing at ${request.method} ${path}.`);
    });
    await scope.register(gatewayHealthRoutes, deps);
    await scope.register(metricsRoutes, deps);
  });
  await server.register(openAiRoutes, { prefix: '/v1', ...deps });
  return server;
}
