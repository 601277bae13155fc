import { AppError } from '../runtime/app-error.ts';
import { threadGone } from './open-thread.ts';
import type { Logger } from '../domain/logger.ts';
import type { ResponseStore, StoredResponse, UnusedThreads } from '../store/sqlite/response-store.ts';
import { badRequest } from './bad-request.ts';
import type { ResponsePlan } from './plan-response.ts';
import { openCalls, refuseUnmatchedCalls } from './unmatched-call.ts';
import { wholeResponse } from './response-answer.ts';
import type { Choice } from './run-choice.ts';
import type { ThreadFiles } from './thread-files.ts';
import type { HistoryItem, TurnSpec } from './turn.ts';

export interface ResponseThreadsOptions {
  readonly responses: ResponseStore;
  /** How long a response is kept. */
  readonly retentionMs: number;
  readonly threadFiles: ThreadFiles;
  readonly logger: Logger;
}

export interface KeptResponse {
  readonly response: object;
  readonly sent: readonly HistoryItem[];
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
    if (previousId === null) {
      refuseUnmatchedCalls(plan.sent);
      return turn(spec);
    }
    const previous = await this.#store.find(previousId);
    if (previous === null)
      throw badRequest(
        `There is no response '${previousId.slice(0, 100)}' to go on with.`,
        'previous_response_id',
      );
    refuseUnmatchedCalls([...openCalls(JSON.parse(previous.items) as HistoryItem[]), ...plan.sent]);
    // What was broken off is not told as it was, and a thread with tools goes on only where it was held.
    const isSame = plan.store && previous.tools === plan.heldAs;
    const goesOn = isSame && (plan.heldAs === '' ? previous.isWhole : spec.thread.kind === 'held');
    if (goesOn) {
      try {
        return plan.heldAs === ''
          ? await this.#goOn(previous, spec, turn)
          : await this.#goOnHeld(previous, plan, turn);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'thread_gone') throw error;
      }
    }
    return turn(await this.#retold(previousId, spec));
  }

  /** Keeps the response where its client wants to go on from it. */
  async save(plan: ResponsePlan, choice: Choice): Promise<void> {
    if (!plan.store) return;
    const { end, text, toolCalls, finishReason } = choice;
    const items: HistoryItem[] = [
      ...plan.sent,
      ...end.thoughts,
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
      tools: plan.heldAs,
      isWhole: end.reason === 'completed' && finishReason === 'stop',
      createdAtMs: plan.createdMs,
      items: JSON.stringify(items),
      answer: JSON.stringify({ response: wholeResponse(plan, choice), sent: plan.sent.length }),
    };
    await this.#letGo(await this.#store.save(response));
    await this.#options.threadFiles.finished(end.threadId);
    await this.#forgetOld(plan.createdMs);
  }

  /** A response as it was answered, with the items that its request sent. Rejects with `response_not_found`. */
  async find(id: string): Promise<KeptResponse> {
    const stored = await this.#store.find(id);
    const answer = stored?.answer ?? null;
    if (stored === null || answer === null) throw notFound(id);
    const { response, sent } = JSON.parse(answer) as { response: object; sent: number };
    return { response, sent: (JSON.parse(stored.items) as HistoryItem[]).slice(0, sent) };
  }

  /** Rejects with `response_not_found`. */
  async remove(id: string): Promise<void> {
    const unused = await this.#store.remove(id);
    if (unused === null) throw notFound(id);
    await this.#letGo(unused);
  }

  async #forgetOld(nowMs: number): Promise<void> {
    if (nowMs - this.#forgottenAtMs < forgetEveryMs) return;
    this.#forgottenAtMs = nowMs;
    await this.#letGo(await this.#store.forget(nowMs - this.#options.retentionMs));
  }

  /** What is left behind costs room on the disk and nothing else. */
  async #letGo(threads: UnusedThreads): Promise<void> {
    const { threadFiles, logger } = this.#options;
    try {
      await threadFiles.forget(threads.filter((id) => !this.#busy.has(id)));
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

  async #goOnHeld(
    { id, threadId }: StoredResponse,
    { spec, fresh }: ResponsePlan,
    turn: (spec: TurnSpec) => Promise<Choice>,
  ): Promise<Choice> {
    if ((await this.#store.newestOf(threadId)) !== id) throw threadGone(null);
    return turn({ ...spec, history: fresh, thread: { kind: 'taken', threadId } });
  }

  async #retold(previousId: string, spec: TurnSpec): Promise<TurnSpec> {
    const before = await this.#store.conversationOf(previousId);
    if (before === null)
      throw badRequest('The beginning of that conversation is not stored any more.', 'previous_response_id');
    const items = before.flatMap((text) => JSON.parse(text) as HistoryItem[]);
    return { ...spec, history: [...items, ...spec.history] };
  }
}

function notFound(id: string): AppError {
  return new AppError('user', 'response_not_found', `There is no response '${id.slice(0, 100)}'.`, {
    hint: 'Responses are kept unless `store` is false, for as long as gateway.response_retention says.',
  });
}
