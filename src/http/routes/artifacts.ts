import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findJob } from '../../service/find-job.ts';
import type { ServerDeps } from '../deps.ts';

/** Artifacts hold what an agent wrote: they are handed out as files, never as something that a browser would run. */
const contentType = 'application/octet-stream';

export const artifactRoutes: FastifyPluginAsyncZod<ServerDeps> = async (server, { jobs }) => {
  server.get(
    '/jobs/:id/artifacts/:name',
    {
      schema: {
        tags: ['jobs'],
        summary: 'A file that a job left',
        params: z.object({ id: z.string(), name: z.string() }),
      },
    },
    async ({ params }, reply) => {
      const job = await findJob(jobs.store, params.id);
      const { stream, sizeBytes } = await jobs.artifacts.open(job.id, params.name);
      const known = job.report?.artifacts.find(({ name }) => name === params.name);
      void reply.header('content-length', sizeBytes);
      void reply.header(
        'content-disposition',
        `attachment; filename="${params.name.replaceAll(/[^\w.-]/g, '_')}"`,
      );
      if (known !== undefined) void reply.header('etag', `"${known.sha256}"`);
      return reply.type(contentType).send(stream);
    },
  );
  await Promise.resolve();
};
