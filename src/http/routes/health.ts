import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { toFailure } from '../../runtime/app-error.ts';
import type { ServerDeps } from '../deps.ts';
import { json } from '../documents.ts';

const healthSchema = z.object({ status: z.enum(['ok', 'unavailable']), reason: z.string() });
const reportSchema = z.object({ ok: z.boolean(), version: z.string(), readiness: healthSchema });

/** `/livez`: the process answers. `/readyz`: it can take work. `/healthz`: always 200, with all that is known. */
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
        summary: 'The server can take work',
        response: {
          200: json('It can.', healthSchema),
          503: json('It is stopping, or its store is away.', healthSchema),
        },
      },
    },
    async (_request, reply) => {
      const state = await readiness();
      return reply.code(state.status === 'ok' ? 200 : 503).send(state);
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
      return { ok: state.status === 'ok', version: deps.version, readiness: state };
    },
  );
  await Promise.resolve();
};
