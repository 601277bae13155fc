import type { FastifyReply, FastifyRequest } from 'fastify';
import { ChatChunks, chatCompletion } from '../../gateway/chat-answer.ts';
import type { ChatListener } from '../../gateway/gateway.ts';
import type { ChatPlan } from '../../gateway/plan-chat.ts';
import { clientGone } from './client-gone.ts';
import type { OpenAiDeps } from './deps.ts';
import { failureInStream, openStream, type StreamedAnswer } from './open-stream.ts';
import { streamMetrics } from './stream-metrics.ts';

const nothing: ChatListener = {
  onText: () => undefined,
  onToolCall: () => undefined,
  onChoiceEnd: () => undefined,
};

/** `POST /v1/chat/completions` */
export async function answerChat(
  deps: OpenAiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const gone = clientGone(reply);
  const plan = deps.gateway.planChat(request.body);
  request.openAiModel = plan.model;
  if (plan.ignored.length > 0) void reply.header('x-capstan-ignored', plan.ignored.join(', '));
  if (plan.stream) {
    await streamChat(deps, { request, reply, plan, gone });
    return undefined;
  }
  const choices = await deps.gateway.chat(plan, { listener: nothing, signal: gone.signal });
  return reply.type('application/json').send(chatCompletion(plan, choices));
}

interface ChatStream extends StreamedAnswer {
  readonly plan: ChatPlan;
}

async function streamChat(deps: OpenAiDeps, { request, reply, plan, gone }: ChatStream): Promise<void> {
  const { gateway } = deps;
  const route = request.routeOptions.url ?? 'none';
  using figures = streamMetrics(gateway.metrics, { route, model: plan.model });
  using stream = openStream(deps, { request, reply, gone }, figures);
  const chunks = new ChatChunks(plan);
  const send = (pieces: readonly object[]): void => {
    for (const piece of pieces) stream.data(piece);
  };
  try {
    const choices = await gateway.chat(plan, {
      signal: gone.signal,
      listener: {
        onText: (index, text) => {
          send(chunks.text(index, text));
        },
        onToolCall: (index, call) => {
          send(chunks.toolCall(index, call));
        },
        onChoiceEnd: (index, { finishReason }) => {
          send(chunks.finish(index, finishReason));
        },
      },
    });
    send(chunks.usage(choices));
  } catch (error) {
    const told = failureInStream(deps, { request, stream }, error);
    stream.data({ error: told });
  }
  stream.data('[DONE]');
}
