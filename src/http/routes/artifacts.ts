import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findJob } from '../../service/find-job.ts';
import type { ServerDeps } from '../deps.ts';
import { badRequest, commonErrors, notFound } from '../documents.ts';

/** Artifacts hold what an agent wrote: they are handed out as files, never as something that a browser would run. */
const contentType = 'application/octet-stream';

export const artifactRoutes: FastifyPluginAsyncZod<ServerDeps> = async (server, { jobs }) => {
  server.get(
    '/jobs/:id/artifacts/:name',
    {
      schema: {
        tags: ['jobs'],
        operationId: 'getArtifact',
        summary: 'A file that a job left',
        description: 'Its ETag is the sha256 of its bytes; If-None-Match is honoured.',
        params: z.object({ id: z.string(), name: z.string().describe('As in `artifacts` of the job') }),
        headers: z.object({ 'if-none-match': z.string().optional() }),
        response: {
          200: {
            description: 'The bytes.',
            content: { [contentType]: { schema: z.string().meta({ format: 'binary' }) } },
          },
          304: z.null().describe('It is what the caller has.'),
          ...badRequest,
          ...notFound,
          ...commonErrors,
        },
      },
    },
    async ({ params, headers }, reply) => {
      const job = await findJob(jobs.store, params.id);
      const { stream, sizeBytes } = await jobs.artifacts.open(job.id, params.name);
      const known = job.report?.artifacts.find(({ name }) => name === params.name);
      if (known !== undefined) {
        const etag = `"${known.sha256}"`;
        void reply.header('etag', etag);
        if (namesTag(headers['if-none-match'], etag)) {
          stream.destroy();
          return reply.code(304).send(null);
        }
      }
      void reply.header('content-length', sizeBytes);
      void reply.header('content-disposition', `attachment; filename="${params.name}"`);
      // The type provider expects what the schema says; a stream is sent as it is.
      return reply.type(contentType).send(stream as never);
    },
  );
  await Promise.resolve();
};

/** RFC 9110, If-None-Match: a list of tags, weak or not, or `*`. */
function namesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()));
}
