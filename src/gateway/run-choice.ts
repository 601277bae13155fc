import { AppError } from '../runtime/app-error.ts';
import { startDeadline } from '../runtime/deadline.ts';
import type { Backend } from './backend.ts';
import { insist } from './insist.ts';
import { charsPerToken, TextCut, type TextLimits } from './text-cut.ts';
import { enough, type TokenUsage, type ToolCall, type TurnEnd, type TurnSpec } from './turn.ts';

export type FinishReason = 'stop' | 'length' | 'tool_calls';

export interface ChoiceListener {
  onText(text: string): void;
  onToolCall(call: ToolCall): void;
  /** A summary of what the model thought before it said anything. */
  onReasoning?(summary: string): void;
}

export interface ChoiceOptions {
  readonly spec: TurnSpec;
  readonly limits: TextLimits;
  /** The client said that a call must come: what else the model says is held back, and it is asked once more. */
  readonly mustCall: boolean;
  /** How long Codex may say nothing. */
  readonly idleMs: number;
  readonly listener: ChoiceListener;
  readonly signal: AbortSignal;
}

export interface Choice {
  readonly reasoning: readonly string[];
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  readonly usage: TokenUsage;
  readonly end: TurnEnd;
}

/** One answer: a turn whose text is cut at the request's limits. Rejects as `Backend.run` does, or with `idle_timeout`, `tool_choice_unmet`. */
export async function runChoice(backend: Backend, options: ChoiceOptions): Promise<Choice> {
  const { spec, mustCall } = options;
  const choice = await runTurn(backend, options);
  if (!mustCall || isAnswer(choice)) return choice;
  const again = await runTurn(backend, { ...options, spec: insist(spec, choice.text) });
  if (!isAnswer(again)) throw didNotCall();
  return { ...again, usage: sum(choice.usage, again.usage) };
}

/** Where a call must come: one that came, or a limit that was reached before it could. */
function isAnswer({ finishReason }: Choice): boolean {
  return finishReason !== 'stop';
}

async function runTurn(backend: Backend, options: ChoiceOptions): Promise<Choice> {
  const { spec, listener, idleMs, mustCall } = options;
  using idle = startDeadline(idleMs, () => idleTimeout(idleMs));
  const stop = new AbortController();
  const cut = new TextCut(options.limits);
  const toolCalls: ToolCall[] = [];
  const reasoning: string[] = [];
  let text = '';
  const show = (piece: string): void => {
    if (piece === '') return;
    text += piece;
    if (!mustCall) listener.onText(piece);
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
      onReasoning: (summary) => {
        // An answer begins with it or goes without.
        if (text !== '' || mustCall) return;
        reasoning.push(summary);
        listener.onReasoning?.(summary);
      },
      onActivity: () => {
        idle.refresh();
      },
    },
  });
  show(cut.end());
  const finishReason = toolCalls.length > 0 ? 'tool_calls' : (cut.cut ?? 'stop');
  if (mustCall && finishReason !== 'stop' && text !== '') listener.onText(text);
  for (const call of toolCalls) listener.onToolCall(call);
  return { reasoning, text, toolCalls, finishReason, usage: end.usage ?? estimated(spec, text), end };
}

function sum(one: TokenUsage, other: TokenUsage): TokenUsage {
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    cachedInputTokens: one.cachedInputTokens + other.cachedInputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
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
  return new AppError(
    'agent',
    'tool_choice_unmet',
    'The model was asked twice and called no tool, as tool_choice requires.',
    { hint: 'Try again, or use tool_choice auto.', details: { retryable: true, param: 'tool_choice' } },
  );
}
