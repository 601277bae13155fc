import type { DynamicToolCallParams } from '../codex/protocol/generated/v2/DynamicToolCallParams.ts';
import type { DynamicToolCallResponse } from '../codex/protocol/generated/v2/DynamicToolCallResponse.ts';
import type { TokenUsageBreakdown } from '../codex/protocol/generated/v2/TokenUsageBreakdown.ts';
import type { ThreadItem } from '../codex/protocol/generated/v2/ThreadItem.ts';
import type { Turn } from '../codex/protocol/generated/v2/Turn.ts';
import type { ResponseItem } from '../codex/protocol/generated/ResponseItem.ts';
import type { ThreadListener } from '../codex/app-server/app-server-client.ts';
import type { ThreadNotification } from '../codex/protocol/thread-notification.ts';
import { AppError } from '../runtime/app-error.ts';
import { deferred } from '../runtime/wait.ts';
import { textOf, type HistoryItem, type TokenUsage, type TurnListener } from './turn.ts';

export interface TurnWatchOptions {
  readonly listener: TurnListener;
  /** Names of the client's tools. */
  readonly tools: ReadonlySet<string>;
  /** The conversation so far: what is put into a thread is told again as if it were said now. */
  readonly history: readonly HistoryItem[];
  readonly parallelTools: boolean;
  readonly hopeless: (error: { readonly message: string; readonly info: unknown }) => AppError | null;
  /** Only the last message is the answer: those before it are talk between commands. It is told at the end. */
  readonly lastMessageOnly: boolean;
}

export type ToolAnswers = ReadonlyMap<string, DynamicToolCallResponse>;

/** Hears nothing: between two requests nobody listens. */
const nobody: TurnListener = {
  onText: () => undefined,
  onToolCall: () => undefined,
  onReasoning: () => undefined,
  onActivity: () => undefined,
};

/** Follows one turn: tells the listener what of it is the answer, and waits for its end, or for answers to the calls of the client's tools. */
export class TurnWatch implements ThreadListener, Disposable {
  readonly #options: TurnWatchOptions;
  #listener: TurnListener;
  /** Resolves with the turn when it has ended, or null when the client's tools have to be called first. */
  #over = deferred<Turn | null>();
  readonly #ended = deferred<Turn>();
  /** The answers that Codex waits for. */
  readonly #pendingCalls = new Map<string, (response: DynamicToolCallResponse) => void>();
  /** Codex asks for some of its calls only after it has been told the answers to others. */
  readonly #answers = new Map<string, DynamicToolCallResponse>();
  readonly #known: ReadonlySet<string>;
  readonly #spoken = new Set<string>();
  #calls: string[] = [];
  #unheardCalls = 0;
  #thoughts: HistoryItem[] = [];
  /** Of the model's answers since the client was told last. */
  #counted: TokenUsage | null = null;
  #isOver = false;
  #lastMessage = '';
  #lastItem: string | null = null;
  #before: TokenUsageBreakdown | null = null;
  #total: TokenUsageBreakdown | null = null;

  constructor(options: TurnWatchOptions) {
    this.#options = options;
    this.#listener = options.listener;
    this.#known = new Set(options.history.flatMap(marksOf));
    this.#over.promise.catch(() => undefined);
    this.#ended.promise.catch(() => undefined);
  }

  /** The turn when it has ended; null when the client has to answer its tools' calls. Rejects when the process is gone. */
  get over(): Promise<Turn | null> {
    return this.#over.promise;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get ended(): Promise<Turn> {
    return this.#ended.promise;
  }

  /** The calls that the client has to answer; null where it was not told of all that Codex waits for. */
  get calls(): readonly string[] | null {
    return this.#unheardCalls === 0 ? this.#calls : null;
  }

  get thoughts(): readonly HistoryItem[] {
    return this.#thoughts;
  }

  /** Since the client was told last: Codex counts a thread from its beginning. */
  get usage(): TokenUsage | null {
    if (this.#counted !== null) return this.#counted;
    const [total, before] = [this.#total, this.#before];
    if (total === null || before === null) return null;
    return {
      inputTokens: total.inputTokens - before.inputTokens,
      cachedInputTokens: total.cachedInputTokens - before.cachedInputTokens,
      outputTokens: total.outputTokens - before.outputTokens,
      reasoningTokens: total.reasoningOutputTokens - before.reasoningOutputTokens,
    };
  }

  /** Nobody hears of the turn until it goes on. */
  pause(): void {
    this.#listener = nobody;
  }

  /** Gives Codex the answers to all calls, and tells another listener what comes of them. */
  goOn(answers: ToolAnswers, listener: TurnListener): void {
    this.#listener = listener;
    this.#over = deferred<Turn | null>();
    this.#over.promise.catch(() => undefined);
    this.#calls = [];
    this.#spoken.clear();
    this.#thoughts = [];
    this.#counted = null;
    for (const [id, answer] of answers) {
      const resolve = this.#pendingCalls.get(id);
      this.#pendingCalls.delete(id);
      if (resolve === undefined) this.#answers.set(id, answer);
      else resolve(answer);
    }
  }

  onNotification({ method, params }: ThreadNotification): void {
    // What is said twice, or after the end, is none of this turn's answer.
    if (this.#isOver) return;
    this.#listener.onActivity();
    switch (method) {
      case 'item/agentMessage/delta':
        this.#text(params.itemId, params.delta);
        return;
      case 'item/completed':
        this.#completed(params.item);
        return;
      case 'rawResponseItem/completed':
        this.#rawItem(params.item);
        return;
      case 'rawResponse/completed':
        this.#count(params.usage);
        if (this.#calls.length === 0) return;
        this.#tellLast();
        this.#over.resolve(null);
        return;
      case 'thread/tokenUsage/updated': {
        const { total, last } = params.tokenUsage;
        this.#before ??= difference(total, last);
        this.#total = total;
        return;
      }
      case 'error': {
        const { message, codexErrorInfo: info } = params.error;
        const reason = this.#options.hopeless({ message, info });
        if (reason !== null) this.#over.reject(reason);
        // A new try says everything again, and what was passed on cannot be taken back.
        if (params.willRetry && this.#spoken.size > 0 && !this.#options.lastMessageOnly) {
          this.#over.reject(brokenOff(message));
        }
        return;
      }
      case 'turn/completed':
        this.#isOver = true;
        this.#tellLast();
        this.#ended.resolve(params.turn);
        this.#over.resolve(params.turn);
        return;
      case 'item/started':
      case 'item/commandExecution/outputDelta':
      case 'warning':
        return;
    }
  }

  /** The client's answer comes with a later request; where it does not, the turn is interrupted. */
  async onToolCall({ callId }: DynamicToolCallParams): Promise<DynamicToolCallResponse> {
    const answer = this.#answers.get(callId);
    if (answer !== undefined) return answer;
    return new Promise((resolve) => {
      this.#pendingCalls.set(callId, resolve);
    });
  }

  onDeclined(): void {
    this.#listener.onActivity();
  }

  onGone(error: AppError): void {
    this.#over.reject(error);
    this.#ended.reject(error);
  }

  [Symbol.dispose](): void {
    for (const resolve of this.#pendingCalls.values()) resolve({ contentItems: [], success: false });
    this.#pendingCalls.clear();
  }

  #text(itemId: string, delta: string): void {
    // The types are a promise of the version that they were made from.
    if (typeof (delta as unknown) !== 'string' || delta === '') return;
    if (this.#options.lastMessageOnly) {
      this.#lastMessage = this.#lastItem === itemId ? this.#lastMessage + delta : delta;
      this.#lastItem = itemId;
      this.#spoken.add(itemId);
      return;
    }
    const isFurther = this.#spoken.size > 0 && !this.#spoken.has(itemId);
    this.#spoken.add(itemId);
    this.#listener.onText(isFurther ? `\n\n${delta}` : delta);
  }

  #completed(item: ThreadItem): void {
    // A message that came without deltas.
    if (item.type === 'agentMessage' && !this.#spoken.has(item.id)) this.#text(item.id, item.text);
    if (item.type === 'reasoning') {
      const summary = item.summary.join('\n\n');
      if (summary !== '') this.#listener.onReasoning(summary);
    }
  }

  #tellLast(): void {
    if (this.#options.lastMessageOnly && this.#lastMessage !== '') this.#listener.onText(this.#lastMessage);
    this.#lastMessage = '';
  }

  #rawItem(item: ResponseItem): void {
    if (item.type === 'reasoning' && typeof item.encrypted_content === 'string') {
      if (this.#known.has(item.encrypted_content)) return;
      const { summary, encrypted_content } = item;
      this.#thoughts.push({
        type: item.type,
        summary: summary.map((part) => ({ ...part })),
        encrypted_content,
      });
    }
    if (item.type !== 'function_call' || !this.#options.tools.has(item.name)) return;
    if (this.#known.has(item.call_id)) return;
    if (this.#calls.length > 0 && !this.#options.parallelTools) {
      this.#unheardCalls += 1;
      return;
    }
    this.#calls.push(item.call_id);
    this.#listener.onToolCall({ id: item.call_id, name: item.name, arguments: item.arguments });
  }

  #count(usage: TokenUsageBreakdown | null): void {
    if (usage === null) return;
    const before = this.#counted;
    this.#counted = {
      inputTokens: usage.inputTokens + (before?.inputTokens ?? 0),
      cachedInputTokens: usage.cachedInputTokens + (before?.cachedInputTokens ?? 0),
      outputTokens: usage.outputTokens + (before?.outputTokens ?? 0),
      reasoningTokens: usage.reasoningOutputTokens + (before?.reasoningTokens ?? 0),
    };
  }
}

/** What an item is known again by. */
function marksOf(item: HistoryItem): readonly string[] {
  return [textOf(item, 'call_id'), textOf(item, 'encrypted_content')].filter((mark) => mark !== '');
}

function difference(total: TokenUsageBreakdown, last: TokenUsageBreakdown): TokenUsageBreakdown {
  return {
    totalTokens: total.totalTokens - last.totalTokens,
    inputTokens: total.inputTokens - last.inputTokens,
    cachedInputTokens: total.cachedInputTokens - last.cachedInputTokens,
    cacheWriteInputTokens: total.cacheWriteInputTokens - last.cacheWriteInputTokens,
    outputTokens: total.outputTokens - last.outputTokens,
    reasoningOutputTokens: total.reasoningOutputTokens - last.reasoningOutputTokens,
  };
}

function brokenOff(message: string): AppError {
  return new AppError('infrastructure', 'upstream_unavailable', `The model broke off: ${message}`, {
    hint: 'Try again.',
    details: { retryable: true },
  });
}
