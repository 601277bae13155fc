import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OpenAiDeps } from './deps.ts';
import { logFailure, openAiAnswer } from './errors.ts';
import { EventStream } from './event-stream.ts';
import type { streamMetrics } from './stream-metrics.ts';

export interface StreamedAnswer {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Aborts when nobody reads the answer any more. */
  readonly gone: AbortController;
}

/** The event stream of one answer, with the headers set so far; the reply is its own from the first event on. The caller disposes it. */
export function openStream(
  { gateway }: OpenAiDeps,
  { request, reply, gone }: StreamedAnswer,
  figures: ReturnType<typeof streamMetrics>,
): EventStream {
  return new EventStream(reply.raw, {
    headers: reply.getHeaders() as OutgoingHttpHeaders,
    keepaliveMs: request.headers['x-no-keepalive'] === '1' ? null : gateway.settings.keepaliveMs,
    onBegin: () => {
      reply.hijack();
      figures.begin();
    },
    onStuck: (error) => {
      gone.abort(error);
    },
  });
}

/** What a stream that has begun tells of a failure, which is logged; before that it is the mapper's: thrown again. */
export function failureInStream(
  { logger }: OpenAiDeps,
  { request, stream }: { readonly request: FastifyRequest; readonly stream: EventStream },
  error: unknown,
): ReturnType<typeof openAiAnswer>['error'] {
  if (!stream.begun) throw error;
  const { status, error: told } = openAiAnswer(error);
  logFailure(logger, error, { status, requestId: request.id });
  return told;
}
