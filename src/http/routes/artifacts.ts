import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ByteRange } from '../../artifacts/artifact-storage.ts';
import { AppError } from '../../runtime/app-error.ts';
import { findJob } from '../../service/jobs/find-job.ts';
import type { ServerDeps } from '../deps.ts';
import { parseRange } from '../byte-range.ts';
import { badRequest, commonErrors, notFound, unsatisfiable } from '../documents.ts';

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
        description: 'Its ETag is the sha256 of its bytes; If-None-Match, Range and If-Range are honoured.',
        params: z.object({ id: z.string(), name: z.string().describe('As in `artifacts` of the job') }),
        headers: z.object({
          'if-none-match': z.string().optional(),
          range: z.string().optional().describe('One range of bytes; of several the whole file is sent'),
          'if-range': z.string().optional(),
        }),
        response: {
          200: {
            description: 'The bytes.',
            content: { [contentType]: { schema: z.string().meta({ format: 'binary' }) } },
          },
          206: {
            description: 'The part that Range asked for.',
            content: { [contentType]: { schema: z.string().meta({ format: 'binary' }) } },
          },
          304: z.null().describe('It is what the caller has.'),
          ...badRequest,
          ...notFound,
          ...unsatisfiable,
          ...commonErrors,
        },
      },
    },
    async ({ params, headers }, reply) => {
      const job = await findJob(jobs.store, params.id);
      const known = job.report?.artifacts.find(({ name }) => name === params.name);
      const etag = known === undefined ? null : `"${known.sha256}"`;
      // A part of another version would not fit the parts that the caller has.
      const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
      const part = { range: null as ByteRange | null };
      const { stream, sizeBytes } = await jobs.artifacts.open(job.id, params.name, (size) => {
        const asked = isSame ? parseRange(headers.range, size) : null;
        if (asked === 'unsatisfiable') {
          void reply.header('content-range', `bytes */${size}`);
          throw notThere(params.name, size);
        }
        part.range = asked;
        return asked;
      });
      void reply.header('accept-ranges', 'bytes');
      if (etag !== null) void reply.header('etag', etag);
      if (etag !== null && namesTag(headers['if-none-match'], etag)) {
        stream.destroy();
        return reply.code(304).send(null);
      }
      const { start, end } = part.range ?? { start: 0, end: sizeBytes - 1 };
      if (part.range !== null)
        void reply.code(206).header('content-range', `bytes ${start}-${end}/${sizeBytes}`);
      void reply.header('content-length', end - start + 1);
      void reply.header('content-disposition', `attachment; filename="${params.name}"`);
      // The type provider expects what the schema says; a stream is sent as it is.
      return reply.type(contentType).send(stream as never);
    },
  );
  await Promise.resolve();
};

function notThere(name: string, sizeBytes: number): AppError {
  return new AppError('user', 'range_not_satisfiable', `${name} has ${sizeBytes} bytes.`, {
    hint: 'Ask for a part that is there.',
  });
}

/** RFC 9110, If-None-Match: a list of tags, weak or not, or `*`. */
function namesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()));
}
