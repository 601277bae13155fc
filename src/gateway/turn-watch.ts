import type { DynamicToolCallResponse } from '../codex/protocol/generated/v2/DynamicToolCallResponse.ts';
import type { TokenUsageBreakdown } from '../codex/protocol/generated/v2/TokenUsageBreakdown.ts';
import type { ThreadItem } from '../codex/protocol/generated/v2/ThreadItem.ts';
import type { Turn } from '../codex/protocol/generated/v2/Turn.ts';
import type { ResponseItem } from '../codex/protocol/generated/ResponseItem.ts';
import type { ThreadListener } from '../codex/app-server/app-server-client.ts';
import type { ThreadNotification } from '../codex/protocol/thread-notification.ts';
import { AppError } from '../runtime/app-error.ts';
import { deferred } from '../runtime/wait.ts';
import type { TokenUsage, TurnListener } from './turn.ts';

export interface TurnWatchOptions {
  readonly listener: TurnListener;
  /** Names of the client's tools. */
  readonly tools: ReadonlySet<string>;
  /** Calls of the conversation so far: what is put into a thread is told again as if it were said now. */
  readonly knownCalls: ReadonlySet<string>;
  readonly parallelTools: boolean;
  readonly hopeless: (error: { readonly message: string; readonly info: unknown }) => AppError | null;
  /** Only the last message is the answer: those before it are talk between commands. It is told at the end. */
  readonly lastMessageOnly: boolean;
}

/** Follows one turn: tells the listener what of it is the answer, and waits for its end. */
export class TurnWatch implements ThreadListener, Disposable {
  readonly #options: TurnWatchOptions;
  /** Resolves with the turn when it has ended, or null when the client's tools have to be called first. */
  readonly #over = deferred<Turn | null>();
  readonly #ended = deferred<Turn>();
  /** The answers that Codex waits for and will not get. */
  readonly #pendingCalls = new Set<(response: DynamicToolCallResponse) => void>();
  readonly #spoken = new Set<string>();
  #calls = 0;
  #isOver = false;
  #lastMessage = '';
  #lastItem: string | null = null;
  #before: TokenUsageBreakdown | null = null;
  #total: TokenUsageBreakdown | null = null;

  constructor(options: TurnWatchOptions) {
    this.#options = options;
    this.#over.promise.catch(() => undefined);
    this.#ended.promise.catch(() => undefined);
  }

  /** The turn when it has ended; null when the client has to answer its tools' calls. Rejects when the process is gone. */
  get over(): Promise<Turn | null> {
    return this.#over.promise;
  }

  get ended(): Promise<Turn> {
    return this.#ended.promise;
  }

  /** Of this turn alone: Codex counts a thread from its beginning. */
  get usage(): TokenUsage | null {
    const [total, before] = [this.#total, this.#before];
    if (total === null || before === null) return null;
    return {
      inputTokens: total.inputTokens - before.inputTokens,
      cachedInputTokens: total.cachedInputTokens - before.cachedInputTokens,
      outputTokens: total.outputTokens - before.outputTokens,
      reasoningTokens: total.reasoningOutputTokens - before.reasoningOutputTokens,
    };
  }

  onNotification({ method, params }: ThreadNotification): void {
    // What is said twice, or after the end, is none of this turn's answer.
    if (this.#isOver) return;
    this.#options.listener.onActivity();
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
        if (this.#calls === 0) return;
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

  /** Never answered: the turn is interrupted, and the client's answer comes with a later request. */
  async onToolCall(): Promise<DynamicToolCallResponse> {
    return new Promise((resolve) => {
      this.#pendingCalls.add(resolve);
    });
  }

  onDeclined(): void {
    this.#options.listener.onActivity();
  }

  onGone(error: AppError): void {
    this.#over.reject(error);
    this.#ended.reject(error);
  }

  [Symbol.dispose](): void {
    for (const resolve of this.#pendingCalls) resolve({ contentItems: [], success: false });
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
    this.#options.listener.onText(isFurther ? `\n\n${delta}` : delta);
  }

  #completed(item: ThreadItem): void {
    // A message that came without deltas.
    if (item.type === 'agentMessage' && !this.#spoken.has(item.id)) this.#text(item.id, item.text);
    if (item.type === 'reasoning') {
      const summary = item.summary.join('\n\n');
      if (summary !== '') this.#options.listener.onReasoning(summary);
    }
  }

  #tellLast(): void {
    if (this.#options.lastMessageOnly && this.#lastMessage !== '')
      this.#options.listener.onText(this.#lastMessage);
    this.#lastMessage = '';
  }

  #rawItem(item: ResponseItem): void {
    if (item.type !== 'function_call' || !this.#options.tools.has(item.name)) return;
    if (this.#options.knownCalls.has(item.call_id)) return;
    if (this.#calls > 0 && !this.#options.parallelTools) return;
    this.#calls += 1;
    this.#options.listener.onToolCall({ id: item.call_id, name: item.name, arguments: item.arguments });
  }
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
