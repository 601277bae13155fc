import type { FastifyInstance } from 'fastify';
import { checkLocalOrKey } from '../openai/guard.ts';
import type { OpenAiDeps } from '../openai/deps.ts';

export interface GatewayHealthDeps extends Pick<OpenAiDeps, 'gateway' | 'guard'> {
  readonly isMetricsEnabled: boolean;
}

/** What supervisors and load balancers ask a gateway that runs alone; open without a key. */
export async function gatewayHealthRoutes(
  server: FastifyInstance,
  { gateway }: GatewayHealthDeps,
): Promise<void> {
  server.get('/healthz', () => gateway.health());
  server.get('/livez', () => ({ status: 'ok', reason: 'alive' }));
  server.get('/readyz', (_request, reply) => {
    const reason = gateway.readiness;
    const isReady = reason === 'ready';
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'unavailable', reason });
  });
  await Promise.resolve();
}

/** `/metrics` in Prometheus' text format, for this machine and for who has the key. */
export async function metricsRoutes(server: FastifyInstance, deps: GatewayHealthDeps): Promise<void> {
  if (deps.isMetricsEnabled) {
    server.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
      checkLocalOrKey(request, deps.guard);
      const { contentType, body } = await deps.gateway.metrics.render();
      return reply.type(contentType).send(body);
    });
  }
  await Promise.resolve();
}
