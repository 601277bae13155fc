import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ChatChunks, chatCompletion } from '../../gateway/chat-answer.ts';
import type { ChatListener } from '../../gateway/gateway.ts';
import type { ChatPlan } from '../../gateway/plan-chat.ts';
import { clientGone } from './client-gone.ts';
import type { OpenAiDeps } from './deps.ts';
import { logFailure, openAiAnswer } from './errors.ts';
import { EventStream } from './event-stream.ts';
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

interface ChatStream {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly plan: ChatPlan;
  readonly gone: AbortController;
}

async function streamChat(deps: OpenAiDeps, { request, reply, plan, gone }: ChatStream): Promise<void> {
  const { gateway } = deps;
  using figures = streamMetrics(gateway.metrics, plan.model);
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
    if (!stream.begun) throw error;
    const { status, error: told } = openAiAnswer(error);
    logFailure(deps.logger, error, { status, requestId: request.id });
    stream.data({ error: told });
  }
  stream.data('[DONE]');
}
