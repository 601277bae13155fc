import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ResponsePlan } from '../../gateway/plan-response.ts';
import { wholeResponse } from '../../gateway/response-answer.ts';
import { ResponseEvents, type ResponseEvent } from '../../gateway/response-events.ts';
import { clientGone } from './client-gone.ts';
import type { OpenAiDeps } from './deps.ts';
import { logFailure, openAiAnswer } from './errors.ts';
import { EventStream } from './event-stream.ts';
import { streamMetrics } from './stream-metrics.ts';

const nothing = { onText: () => undefined, onToolCall: () => undefined };

/** `POST /v1/responses` */
export async function answerResponse(
  deps: OpenAiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const gone = clientGone(reply);
  const plan = deps.gateway.planResponse(request.body);
  request.openAiModel = plan.request.model;
  if (plan.ignored.length > 0) void reply.header('x-capstan-ignored', plan.ignored.join(', '));
  if (plan.stream) {
    await streamResponse(deps, { request, reply, plan, gone });
    return undefined;
  }
  const choice = await deps.gateway.respond(plan, { listener: nothing, signal: gone.signal });
  return reply.type('application/json').send(wholeResponse(plan, choice));
}

interface ResponseStream {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly plan: ResponsePlan;
  readonly gone: AbortController;
}

async function streamResponse(
  deps: OpenAiDeps,
  { request, reply, plan, gone }: ResponseStream,
): Promise<void> {
  const { gateway } = deps;
  using figures = streamMetrics(gateway.metrics, plan.request.model);
  using stream = new EventStream(reply.raw, {
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
  const events = new ResponseEvents(plan);
  const send = (pieces: readonly ResponseEvent[]): void => {
    for (const piece of pieces) stream.event(piece.type, piece);
  };
  try {
    const choice = await gateway.respond(plan, {
      signal: gone.signal,
      listener: {
        onText: (text) => {
          send(events.text(text));
        },
        onToolCall: (call) => {
          send(events.toolCall(call));
        },
      },
    });
    send(events.end(choice));
  } catch (error) {
    if (!stream.begun) throw error;
    const { status, error: told } = openAiAnswer(error);
    logFailure(deps.logger, error, { status, requestId: request.id });
    send(events.failed(told));
  }
  stream.data('[DONE]');
}
