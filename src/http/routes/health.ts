import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { toFailure } from '../../runtime/app-error.ts';
import type { ServerDeps } from '../deps.ts';
import { badRequest, json } from '../documents.ts';

const healthSchema = z.object({ status: z.enum(['ok', 'unavailable']), reason: z.string() });
/** What is served under /v1, where it is, beside the jobs. */
const readySchema = healthSchema.extend({ gateway: healthSchema.optional() });
const gatewaySchema = z.object({
  backend_mode: z.enum(['app-server', 'exec']),
  app_server_enabled: z.boolean(),
  sandbox_mode: z.string(),
  worker_supervisor: z.looseObject({}),
  health: z.object({
    readiness: z.object({ ready: z.boolean(), reason: z.string() }),
    liveness: z.object({ live: z.boolean(), reason: z.string() }),
  }),
});
const reportSchema = z.object({
  ok: z.boolean(),
  version: z.string(),
  readiness: healthSchema,
  ...gatewaySchema.partial().shape,
});
const askedSchema = z.object({ of: z.enum(['jobs', 'gateway']).default('jobs') });

/**
 * `/livez`: the process answers. `/readyz`: jobs can be taken, or with `?of=gateway` requests under /v1; both are told apart in the body.
 * `/healthz`: always 200, with all that is known.
 */
export const healthRoutes: FastifyPluginAsyncZod<ServerDeps> = async (server, deps) => {
  // Open without a key.
  const open = { tags: ['health'], security: [{}] };

  async function readiness(): Promise<z.infer<typeof healthSchema>> {
    if (deps.stopping.aborted) return { status: 'unavailable', reason: 'shutdown_in_progress' };
    try {
      await deps.jobs.store.countWaiting();
      return { status: 'ok', reason: 'ready' };
    } catch (error) {
      return { status: 'unavailable', reason: toFailure(error).code };
    }
  }

  function gatewayReadiness(): z.infer<typeof healthSchema> | undefined {
    const reason = deps.openAi?.gateway.readiness;
    return reason === undefined ? undefined : { status: reason === 'ready' ? 'ok' : 'unavailable', reason };
  }

  server.get(
    '/livez',
    {
      schema: {
        ...open,
        operationId: 'isAlive',
        summary: 'The process answers',
        response: { 200: json('It does.', healthSchema) },
      },
    },
    () => ({ status: 'ok' as const, reason: 'alive' }),
  );
  server.get(
    '/readyz',
    {
      schema: {
        ...open,
        operationId: 'isReady',
        summary: 'The server can take jobs, or with ?of=gateway requests under /v1',
        querystring: askedSchema,
        response: {
          200: json('It can.', readySchema),
          ...badRequest,
          503: json('It is stopping, its store is away, or what was asked for is not ready.', readySchema),
        },
      },
    },
    async (request, reply) => {
      const [jobs, gateway] = [await readiness(), gatewayReadiness()];
      const asked = request.query.of === 'jobs' ? jobs : (gateway ?? noGateway);
      return reply.code(asked.status === 'ok' ? 200 : 503).send({ ...asked, gateway });
    },
  );
  server.get(
    '/healthz',
    {
      schema: {
        ...open,
        operationId: 'getHealth',
        summary: 'All that is known, always 200',
        response: { 200: json('The health of the server.', reportSchema) },
      },
    },
    async () => {
      const state = await readiness();
      const gateway = deps.openAi?.gateway.health();
      return {
        ...gateway,
        ok: state.status === 'ok' && (gateway?.ok ?? true),
        version: deps.version,
        readiness: state,
      };
    },
  );
  await Promise.resolve();
};

const noGateway = { status: 'unavailable', reason: 'gateway_off' } as const;
