import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { workerSchema } from '../../contract/worker.ts';
import { listWorkers } from '../../service/list-workers.ts';
import type { ServerDeps } from '../deps.ts';

export const workerRoutes: FastifyPluginAsyncZod<ServerDeps> = async (server, { jobs }) => {
  server.get(
    '/workers',
    {
      schema: {
        tags: ['workers'],
        summary: 'Registered workers',
        response: { 200: z.object({ items: z.array(workerSchema) }) },
      },
    },
    async () => ({ items: (await listWorkers(jobs)).map((worker) => ({ ...worker })) }),
  );
  await Promise.resolve();
};
