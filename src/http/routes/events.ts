import type { ServerResponse } from 'node:http';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problemSchema } from '../../contract/problem.ts';
import { findJob } from '../../service/find-job.ts';
import { followEvents } from '../../service/follow-events.ts';
import type { ServerDeps } from '../deps.ts';

const keepAliveMs = 15_000;
const seqSchema = z.coerce.number().int().nonnegative();

export const eventRoutes: FastifyPluginAsyncZod<ServerDeps> = async (server, { jobs, stopping, logger }) => {
  server.get(
    '/jobs/:id/events',
    {
      schema: {
        tags: ['jobs'],
        summary: 'What happens to a job, as server-sent events',
        description:
          'Ends after `job.finished`. Resumes behind Last-Event-ID (or `after`); `follow=false` gives what there is and ends.',
        params: z.object({ id: z.string() }),
        querystring: z.strictObject({ after: seqSchema.optional(), follow: z.stringbool().default(true) }),
        headers: z.object({ 'last-event-id': seqSchema.optional().catch(undefined) }),
        response: { 404: problemSchema },
      },
    },
    async (request, reply) => {
      const job = await findJob(jobs.store, request.params.id);
      const afterSeq = request.headers['last-event-id'] ?? request.query.after ?? 0;
      const gone = new AbortController();
      reply.raw.once('close', () => {
        gone.abort();
      });
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      });
      raw.flushHeaders();
      const beat = setInterval(() => {
        if (!raw.writableNeedDrain) raw.write(': keep-alive\n\n');
      }, keepAliveMs);
      const signal = AbortSignal.any([gone.signal, stopping]);
      try {
        for await (const event of followEvents(jobs.store, job.id, {
          afterSeq,
          follow: request.query.follow,
          signal,
        })) {
          await write(
            raw,
            `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
            signal,
          );
        }
      } catch (error) {
        // The headers are out: the client sees the stream end and resumes behind the last id that it got.
        logger.error({ err: error, jobId: job.id }, 'An event stream was cut');
      } finally {
        clearInterval(beat);
        raw.end();
      }
    },
  );
  await Promise.resolve();
};

/** Writes, and waits for a slow reader so that it costs no memory here. */
async function write(raw: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (raw.write(text) || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const go = (): void => {
    resolve();
  };
  raw.once('drain', go);
  signal.addEventListener('abort', go, { once: true });
  await promise;
  raw.off('drain', go);
  signal.removeEventListener('abort', go);
}
