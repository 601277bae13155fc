import { AppError } from '../runtime/app-error.ts';
import { startDeadline } from '../runtime/deadline.ts';
import type { Backend } from './backend.ts';
import { charsPerToken, TextCut, type TextLimits } from './text-cut.ts';
import { enough, type TokenUsage, type ToolCall, type TurnEnd, type TurnSpec } from './turn.ts';

export type FinishReason = 'stop' | 'length' | 'tool_calls';

export interface ChoiceListener {
  onText(text: string): void;
  onToolCall(call: ToolCall): void;
}

export interface ChoiceOptions {
  readonly spec: TurnSpec;
  readonly limits: TextLimits;
  /** Without a call the choice fails: the client said that one must come. */
  readonly mustCall: boolean;
  /** How long Codex may say nothing. */
  readonly idleMs: number;
  readonly listener: ChoiceListener;
  readonly signal: AbortSignal;
}

export interface Choice {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  readonly usage: TokenUsage;
  readonly end: TurnEnd;
}

/** One answer: a turn whose text is cut at the request's limits. Rejects as `Backend.run` does, or with `idle_timeout`. */
export async function runChoice(backend: Backend, options: ChoiceOptions): Promise<Choice> {
  const { spec, listener, idleMs } = options;
  using idle = startDeadline(idleMs, () => idleTimeout(idleMs));
  const stop = new AbortController();
  const cut = new TextCut(options.limits);
  const toolCalls: ToolCall[] = [];
  let text = '';
  const show = (piece: string): void => {
    if (piece === '') return;
    text += piece;
    listener.onText(piece);
  };
  const end = await backend.run(spec, {
    signal: AbortSignal.any([options.signal, idle.signal, stop.signal]),
    listener: {
      onText: (delta) => {
        show(cut.push(delta));
        if (cut.cut !== null) stop.abort(enough);
      },
      onToolCall: (call) => {
        if (stop.signal.aborted) return;
        toolCalls.push(call);
      },
      onActivity: () => {
        idle.refresh();
      },
    },
  });
  show(cut.end());
  for (const call of toolCalls) listener.onToolCall(call);
  if (options.mustCall && toolCalls.length === 0 && cut.cut === null) throw didNotCall();
  return {
    text,
    toolCalls,
    finishReason: toolCalls.length > 0 ? 'tool_calls' : (cut.cut ?? 'stop'),
    usage: end.usage ?? estimated(spec, text),
    end,
  };
}

/** Codex counts at the end of a model's answer; one that was cut off is reckoned. */
function estimated({ history, input }: TurnSpec, text: string): TokenUsage {
  const given = JSON.stringify([history, input]).length;
  return {
    inputTokens: Math.ceil(given / charsPerToken),
    cachedInputTokens: 0,
    outputTokens: Math.ceil(text.length / charsPerToken),
    reasoningTokens: 0,
  };
}

function idleTimeout(idleMs: number): AppError {
  return new AppError('timeout', 'idle_timeout', `Codex said nothing for ${idleMs} ms.`, {
    hint: 'Try again; gateway.idle_timeout and gateway.stream_idle_timeout say how long it may.',
    details: { retryable: true },
  });
}

function didNotCall(): AppError {
  return new AppError('agent', 'internal_error', 'The model did not call a tool, as tool_choice asks for.', {
    hint: 'Try again, or use tool_choice auto.',
    details: { retryable: true },
  });
}
