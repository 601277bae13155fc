import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ResponsePlan } from '../../gateway/plan-response.ts';
import { wholeResponse } from '../../gateway/response-answer.ts';
import { ResponseEvents, type ResponseEvent } from '../../gateway/response-events.ts';
import { clientGone } from './client-gone.ts';
import type { OpenAiDeps } from './deps.ts';
import { failureInStream, openStream, type StreamedAnswer } from './open-stream.ts';
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

interface ResponseStream extends StreamedAnswer {
  readonly plan: ResponsePlan;
}

async function streamResponse(
  deps: OpenAiDeps,
  { request, reply, plan, gone }: ResponseStream,
): Promise<void> {
  const { gateway } = deps;
  const route = request.routeOptions.url ?? 'none';
  using figures = streamMetrics(gateway.metrics, { route, model: plan.request.model });
  using stream = openStream(deps, { request, reply, gone }, figures);
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
        onReasoning: (summary) => {
          send(events.reasoning(summary));
        },
      },
    });
    send(events.end(choice));
  } catch (error) {
    const told = failureInStream(deps, { request, stream }, error);
    send(events.failed(told));
  }
  stream.data('[DONE]');
}
