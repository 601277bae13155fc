import type { Gateway } from '../../gateway/gateway.ts';
import type { ResponsePlan } from '../../gateway/plan-response.ts';
import { wholeResponse } from '../../gateway/response-answer.ts';
import { ResponseEvents, type ResponseEvent } from '../../gateway/response-events.ts';
import type { ChoiceListener } from '../../gateway/run-choice.ts';
import type { Surface } from './answer.ts';

const nothing: ChoiceListener = { onText: () => undefined, onToolCall: () => undefined };

/** `POST /v1/responses` */
export function responseSurface(gateway: Gateway): Surface<ResponsePlan> {
  return {
    plan: (body) => gateway.planResponse(body),
    whole: async (plan, signal) =>
      wholeResponse(plan, await gateway.respond(plan, { listener: nothing, signal })),
    pieces(plan, stream) {
      const events = new ResponseEvents(plan);
      const say = (pieces: readonly ResponseEvent[]): void => {
        for (const piece of pieces) stream.event(piece.type, piece);
      };
      const listener: ChoiceListener = {
        onText: (text) => {
          say(events.text(text));
        },
        onToolCall: (call) => {
          say(events.toolCall(call));
        },
        onReasoning: (summary) => {
          say(events.reasoning(summary));
        },
      };
      return {
        async send(signal) {
          say(events.end(await gateway.respond(plan, { listener, signal })));
        },
        fail: (error) => {
          say(events.failed(error));
        },
      };
    },
  };
}
