import { AppError } from '../runtime/app-error.ts';
import type { Logger } from '../domain/logger.ts';
import type { ResponseStore, StoredResponse, UnusedThreads } from '../store/sqlite/response-store.ts';
import { badRequest } from './bad-request.ts';
import type { ResponsePlan } from './plan-response.ts';
import type { Choice } from './run-choice.ts';
import type { HistoryItem, TurnSpec } from './turn.ts';

export interface ResponseThreadsOptions {
  readonly responses: ResponseStore;
  /** How long a response is kept. */
  readonly retentionMs: number;
  /** Removes what is kept of threads that nobody can go on with. */
  readonly forgetThreads: (threadIds: readonly string[]) => Promise<void>;
  readonly logger: Logger;
}

/** How often old responses are forgotten, at most. */
const forgetEveryMs = 60_000;

/** Which thread a response's turn runs in: the one before goes on, is forked, or is told again from what was stored. */
export class ResponseThreads {
  readonly #options: ResponseThreadsOptions;
  readonly #store: ResponseStore;
  #forgottenAtMs = 0;
  /** Threads with a turn; a second one at the same time gets a fork. */
  readonly #busy = new Set<string>();

  constructor(options: ResponseThreadsOptions) {
    this.#options = options;
    this.#store = options.responses;
  }

  /** Runs the plan's turn where it belongs. Rejects with `invalid_request_error` where the response before is unknown. */
  async run(plan: ResponsePlan, turn: (spec: TurnSpec) => Promise<Choice>): Promise<Choice> {
    const { spec, previousId } = plan;
    if (previousId === null) return turn(spec);
    const previous = await this.#store.find(previousId);
    if (previous === null)
      throw badRequest(
        `There is no response '${previousId.slice(0, 100)}' to go on with.`,
        'previous_response_id',
      );
    // A thread keeps the tools that it was started with, and what was broken off is not told as it was.
    if (plan.store && previous.isWhole && previous.tools === plan.tools) {
      try {
        return await this.#goOn(previous, spec, turn);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'thread_gone') throw error;
      }
    }
    return turn(await this.#retold(previousId, spec));
  }

  /** Keeps the response where its client wants to go on from it. */
  async save(plan: ResponsePlan, { end, text, toolCalls, finishReason }: Choice): Promise<void> {
    if (!plan.store) return;
    const items: HistoryItem[] = [
      ...plan.sent,
      ...(text === ''
        ? []
        : [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }]),
      ...toolCalls.map((call) => ({
        type: 'function_call',
        call_id: call.id,
        name: call.name,
        arguments: call.arguments,
      })),
    ];
    const response: StoredResponse = {
      id: plan.id,
      previousId: plan.previousId,
      threadId: end.threadId,
      turnId: end.turnId,
      tools: plan.tools,
      isWhole: end.reason === 'completed' && finishReason === 'stop',
      createdAtMs: plan.createdMs,
      items: JSON.stringify(items),
      answer: null,
    };
    await this.#letGo(await this.#store.save(response));
    await this.#forgetOld(plan.createdMs);
  }

  async #forgetOld(nowMs: number): Promise<void> {
    if (nowMs - this.#forgottenAtMs < forgetEveryMs) return;
    this.#forgottenAtMs = nowMs;
    await this.#letGo(await this.#store.forget(nowMs - this.#options.retentionMs));
  }

  /** What is left behind costs room on the disk and nothing else. */
  async #letGo(threads: UnusedThreads): Promise<void> {
    const { forgetThreads, logger } = this.#options;
    try {
      await forgetThreads(threads.filter((id) => !this.#busy.has(id)));
    } catch (error) {
      logger.warn({ err: error }, 'Threads of forgotten responses could not be removed');
    }
  }

  async #goOn(
    { id, threadId, turnId }: StoredResponse,
    spec: TurnSpec,
    turn: (spec: TurnSpec) => Promise<Choice>,
  ): Promise<Choice> {
    const isNewest = (await this.#store.newestOf(threadId)) === id;
    if (!isNewest || this.#busy.has(threadId))
      return turn({ ...spec, thread: { kind: 'forked', threadId, turnId } });
    this.#busy.add(threadId);
    try {
      return await turn({ ...spec, thread: { kind: 'continued', threadId } });
    } finally {
      this.#busy.delete(threadId);
    }
  }

  async #retold(previousId: string, spec: TurnSpec): Promise<TurnSpec> {
    const before = await this.#store.conversationOf(previousId);
    if (before === null)
      throw badRequest('The beginning of that conversation is not stored any more.', 'previous_response_id');
    const items = before.flatMap((text) => JSON.parse(text) as HistoryItem[]);
    return { ...spec, history: [...items, ...spec.history] };
  }
}
