import type { FastifyReply, FastifyRequest } from 'fastify';
import { clientGone } from './client-gone.ts';
import type { OpenAiDeps } from './deps.ts';
import type { OpenAiError } from './errors.ts';
import type { EventStream } from './event-stream.ts';
import { failureInStream, openStream } from './open-stream.ts';
import { streamMetrics } from './stream-metrics.ts';

interface Plan {
  /** As requested. */
  readonly model: string;
  readonly stream: boolean;
  readonly ignored: readonly string[];
}

/** What one kind of request is answered with. */
export interface Surface<P extends Plan> {
  /** Throws `invalid_request_error` or `model_not_found`. */
  plan(body: unknown): P;
  whole(plan: P, signal: AbortSignal): Promise<object>;
  pieces(plan: P, stream: EventStream): Pieces;
}

export interface Pieces {
  /** Resolves when all but `[DONE]` is said. */
  send(signal: AbortSignal): Promise<void>;
  /** Says of a stream that has begun that it ends here, and why. */
  fail(error: OpenAiError): void;
}

/** Answers such requests, in one piece or as a stream that ends with `[DONE]`. */
export function answering<P extends Plan>(deps: OpenAiDeps, surface: Surface<P>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const gone = clientGone(reply);
    const plan = surface.plan(request.body);
    request.openAiModel = plan.model;
    if (plan.ignored.length > 0) void reply.header('x-capstan-ignored', plan.ignored.join(', '));
    if (!plan.stream) return reply.type('application/json').send(await surface.whole(plan, gone.signal));
    const route = request.routeOptions.url ?? 'none';
    using figures = streamMetrics(deps.gateway.metrics, { route, model: plan.model });
    using stream = openStream(deps, { request, reply, gone }, figures);
    const pieces = surface.pieces(plan, stream);
    try {
      await pieces.send(gone.signal);
    } catch (error) {
      pieces.fail(failureInStream(deps, { request, stream }, error));
    }
    stream.data('[DONE]');
    return undefined;
  };
}
