import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { workerSchema } from '../../contract/worker.ts';
import { listWorkers } from '../../service/workers/list-workers.ts';
import type { ServerDeps } from '../deps.ts';
import { commonErrors, json } from '../documents.ts';

export const workerRoutes: FastifyPluginAsyncZod<ServerDeps> = async (server, { jobs }) => {
  server.get(
    '/workers',
    {
      schema: {
        tags: ['workers'],
        operationId: 'listWorkers',
        summary: 'Registered workers and how they are',
        response: {
          200: json('All of them.', z.object({ items: z.array(workerSchema) })),
          ...commonErrors,
        },
      },
    },
    async () => ({ items: (await listWorkers(jobs)).map((worker) => ({ ...worker })) }),
  );
  await Promise.resolve();
};
