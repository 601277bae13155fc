import { ChatChunks, chatCompletion } from '../../gateway/chat-answer.ts';
import type { ChatListener, Gateway } from '../../gateway/gateway.ts';
import type { ChatPlan } from '../../gateway/plan-chat.ts';
import type { Surface } from './answer.ts';

const nothing: ChatListener = {
  onText: () => undefined,
  onToolCall: () => undefined,
  onChoiceEnd: () => undefined,
};

/** `POST /v1/chat/completions` */
export function chatSurface(gateway: Gateway): Surface<ChatPlan> {
  return {
    plan: (body) => gateway.planChat(body),
    whole: async (plan, signal) =>
      chatCompletion(plan, await gateway.chat(plan, { listener: nothing, signal })),
    pieces(plan, stream) {
      const chunks = new ChatChunks(plan);
      const say = (pieces: readonly object[]): void => {
        for (const piece of pieces) stream.data(piece);
      };
      const listener: ChatListener = {
        onText: (index, text) => {
          say(chunks.text(index, text));
        },
        onToolCall: (index, call) => {
          say(chunks.toolCall(index, call));
        },
        onChoiceEnd: (index, { finishReason }) => {
          say(chunks.finish(index, finishReason));
        },
      };
      return {
        async send(signal) {
          say(chunks.usage(await gateway.chat(plan, { listener, signal })));
        },
        fail: (error) => {
          stream.data({ error });
        },
      };
    },
  };
}
