import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { JobEvent } from '../../contract/event.ts';
import { isTerminal } from '../../domain/job.ts';
import { findJob } from '../../service/jobs/find-job.ts';
import { followEvents } from '../../service/jobs/follow-events.ts';
import type { ServerDeps } from '../deps.ts';
import { badRequest, commonErrors, notFound } from '../documents.ts';
import { writeSlowly } from '../write-slowly.ts';

const defaultKeepAliveMs = 15_000;
const framesSchema = z
  .string()
  .describe('`id: SEQ`, `event: TYPE`, `data: JobEvent as JSON`, a blank line; and so on');
const seqSchema = z.coerce.number().int().nonnegative();

export const eventRoutes: FastifyPluginAsyncZod<ServerDeps> = async (server, options) => {
  const { jobs, stopping, logger, keepAliveMs = defaultKeepAliveMs } = options;
  server.get(
    '/jobs/:id/events',
    {
      schema: {
        tags: ['jobs'],
        operationId: 'followJob',
        summary: 'What happens to a job, as server-sent events',
        description:
          'Each event has its `seq` as id, its `type` as event and a JobEvent as data; `job.finished` is the last. Resumes behind Last-Event-ID, else behind `after`. ' +
          'Where there is nothing left to say it answers 204, which tells an EventSource not to come again.',
        params: z.object({ id: z.string() }),
        querystring: z.strictObject({
          after: seqSchema.optional().describe('Only events with a greater `seq`'),
          follow: z
            .stringbool()
            .default(true)
            .describe('false: what there is by now, without waiting for more'),
        }),
        headers: z.object({ 'last-event-id': seqSchema.optional().catch(undefined) }),
        response: {
          200: {
            description: 'The events.',
            content: { 'text/event-stream': { schema: framesSchema } },
          },
          204: z.null().describe('The job has ended and every event of it is known.'),
          ...badRequest,
          ...notFound,
          ...commonErrors,
        },
      },
    },
    async (request, reply) => {
      const { raw } = reply;
      const gone = new AbortController();
      // Before anything is awaited: a client that leaves meanwhile would be missed.
      raw.once('close', () => {
        gone.abort();
      });
      const job = await findJob(jobs.store, request.params.id);
      const afterSeq = request.headers['last-event-id'] ?? request.query.after ?? 0;
      const hasEnded = isTerminal(job.status.state);
      if (hasEnded && (await jobs.store.listEvents(job.id, afterSeq, 1)).length === 0)
        return reply.code(204).send(null);
      if (request.method === 'HEAD') return reply.type('text/event-stream').send('');

      reply.hijack();
      raw.writeHead(200, {
        ...(reply.getHeaders() as OutgoingHttpHeaders),
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      });
      raw.flushHeaders();
      const beat = setInterval(() => {
        if (!raw.writableNeedDrain) raw.write(': keep-alive\n\n');
      }, keepAliveMs);
      const signal = AbortSignal.any([gone.signal, stopping]);
      const follow = request.query.follow && !hasEnded;
      try {
        for await (const event of followEvents(jobs.store, job.id, { afterSeq, follow, signal }))
          await writeSlowly(raw, frame(event), signal);
      } catch (error) {
        // The headers are out: the client sees the stream end and resumes behind the last id that it got.
        if (!signal.aborted) logger.warn({ err: error, jobId: job.id }, 'An event stream was cut');
        raw.destroy();
      } finally {
        clearInterval(beat);
        raw.end();
      }
      return reply;
    },
  );
  await Promise.resolve();
};

function frame(event: JobEvent): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
