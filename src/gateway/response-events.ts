import type { ResponsePlan } from './plan-response.ts';
import {
  callItem,
  itemId,
  messageItem,
  reasoningItem,
  responseObject,
  statusOf,
  summaryPart,
  textPart,
  type ResponseFacts,
} from './response-answer.ts';
import type { Choice } from './run-choice.ts';
import type { ToolCall } from './turn.ts';

export interface ResponseEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly [field: string]: unknown;
}

type Body = Readonly<Record<string, unknown>> & { readonly type: string };

/** A response as typed events, in the order of the Responses API. https://platform.openai.com/docs/api-reference/responses-streaming */
export class ResponseEvents {
  readonly #plan: ResponsePlan;
  readonly #output: object[] = [];
  #sequence = 0;
  #begun = false;
  #message: { readonly id: string; text: string } | null = null;

  constructor(plan: ResponsePlan) {
    this.#plan = plan;
  }

  text(delta: string): readonly ResponseEvent[] {
    const before = [...this.#begin(), ...this.#openMessage()];
    const message = this.#message;
    if (message === null) return before;
    message.text += delta;
    return [
      ...before,
      this.#event({ ...this.#place(message.id), type: 'response.output_text.delta', delta, logprobs: [] }),
    ];
  }

  /** Comes before all text. */
  reasoning(summary: string): readonly ResponseEvent[] {
    const before = this.#begin();
    const id = itemId(this.#plan, 'rs', this.#output.length);
    const at = { item_id: id, output_index: this.#output.length, summary_index: 0 };
    return [
      ...before,
      this.#added(reasoningItem(id, null)),
      this.#event({ ...at, type: 'response.reasoning_summary_part.added', part: summaryPart('') }),
      this.#event({ ...at, type: 'response.reasoning_summary_text.delta', delta: summary }),
      this.#event({ ...at, type: 'response.reasoning_summary_text.done', text: summary }),
      this.#event({ ...at, type: 'response.reasoning_summary_part.done', part: summaryPart(summary) }),
      this.#done(reasoningItem(id, summary)),
    ];
  }

  toolCall(call: ToolCall): readonly ResponseEvent[] {
    const before = [...this.#begin(), ...this.#closeMessage()];
    const id = itemId(this.#plan, 'fc', this.#output.length);
    const at = { item_id: id, output_index: this.#output.length };
    const done = callItem(id, call, 'completed');
    const events = [
      this.#added(callItem(id, call, 'in_progress')),
      this.#event({ ...at, type: 'response.function_call_arguments.delta', delta: call.arguments }),
      this.#event({
        ...at,
        type: 'response.function_call_arguments.done',
        name: call.name,
        arguments: call.arguments,
      }),
      this.#done(done),
    ];
    return [...before, ...events];
  }

  end(choice: Choice): readonly ResponseEvent[] {
    const isSilent = choice.text === '' && choice.toolCalls.length === 0;
    const before = [...this.#begin(), ...(isSilent ? this.#openMessage() : []), ...this.#closeMessage()];
    const status = statusOf(choice);
    return [...before, this.#state(`response.${status}`, { status, usage: choice.usage, error: null })];
  }

  /** What a client that has begun to read is told of a failure. */
  failed(error: {
    readonly code: string;
    readonly message: string;
    readonly param: string | null;
  }): readonly ResponseEvent[] {
    const { code, message, param } = error;
    const told = { status: 'failed', usage: null, error: { code, message } } as const;
    return [
      ...this.#begin(),
      this.#state('response.failed', told),
      this.#event({ type: 'error', code, message, param, error }),
    ];
  }

  #begin(): readonly ResponseEvent[] {
    if (this.#begun) return [];
    this.#begun = true;
    const facts = { status: 'in_progress', usage: null, error: null } as const;
    return [this.#state('response.created', facts), this.#state('response.in_progress', facts)];
  }

  #openMessage(): readonly ResponseEvent[] {
    if (this.#message !== null) return [];
    const id = itemId(this.#plan, 'msg', this.#output.length);
    this.#message = { id, text: '' };
    return [
      this.#added(messageItem(id, null, 'in_progress')),
      this.#event({ ...this.#place(id), type: 'response.content_part.added', part: textPart('') }),
    ];
  }

  #closeMessage(): readonly ResponseEvent[] {
    if (this.#message === null) return [];
    const { id, text } = this.#message;
    const at = this.#place(id);
    this.#message = null;
    return [
      this.#event({ ...at, type: 'response.output_text.done', text, logprobs: [] }),
      this.#event({ ...at, type: 'response.content_part.done', part: textPart(text) }),
      this.#done(messageItem(id, text, 'completed')),
    ];
  }

  #place(id: string) {
    return { item_id: id, output_index: this.#output.length, content_index: 0 };
  }

  #added(item: object): ResponseEvent {
    return this.#event({ type: 'response.output_item.added', output_index: this.#output.length, item });
  }

  #done(item: object): ResponseEvent {
    this.#output.push(item);
    return this.#event({
      type: 'response.output_item.done',
      output_index: this.#output.length - 1,
      item,
    });
  }

  #state(type: string, facts: Omit<ResponseFacts, 'output'>): ResponseEvent {
    return this.#event({
      type,
      response: responseObject(this.#plan, { ...facts, output: [...this.#output] }),
    });
  }

  #event(body: Body): ResponseEvent {
    const event = { ...body, sequence_number: this.#sequence };
    this.#sequence += 1;
    return event;
  }
}
