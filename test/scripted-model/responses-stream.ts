import { createdFrame, frame, replyFrames } from './responses-reply.ts';
import type { Frame } from './responses-reply.ts';
import { parseTurn } from './scenario.ts';
import type { Reply, Turn } from './scenario.ts';

export interface StreamPlan {
  readonly frames: readonly Frame[];
  readonly gapMs: number;
  /** `cut` breaks the connection after the last frame instead of ending the answer. */
  readonly end: 'end' | 'cut';
  /** The tokens that the reply costs, when it arrives whole. */
  readonly usage?: Reply['usage'];
}

/** A turn as the stream of a 200 answer. */
export function streamPlan(turn: Turn, index: number): StreamPlan {
  switch (turn.fault) {
    case undefined:
      return { frames: replyFrames(turn, index), gapMs: turn.gapMs, end: 'end', usage: turn.usage };
    case 'never_ending':
      return replyPlan({ commands: [turn.command] }, index);
    case 'cut': {
      const { frames } = replyPlan({ text: turn.text, chunkChars: 8 }, index);
      return { frames: frames.slice(0, turn.afterEvents), gapMs: 0, end: 'cut' };
    }
    case 'context_window_exceeded':
      return failedPlan(
        index,
        'context_length_exceeded',
        'Your input exceeds the context window of this model.',
      );
    case 'failed':
      return failedPlan(index, turn.code, turn.message);
    default:
      throw new TypeError(`${turn.fault} is not a stream`);
  }
}

function replyPlan(
  reply: { text?: string; commands?: string[]; chunkChars?: number },
  index: number,
): StreamPlan {
  return streamPlan(parseTurn(reply), index);
}

function failedPlan(index: number, code: string, message: string): StreamPlan {
  const failed = frame({
    type: 'response.failed',
    response: { id: `resp_failed_${String(index)}`, status: 'failed', error: { code, message } },
  });
  return { frames: [createdFrame(index), failed], gapMs: 0, end: 'end' };
}
