import type { ResponsePlan } from './plan-response.ts';
import type { Choice } from './run-choice.ts';
import type { TokenUsage, ToolCall } from './turn.ts';

export type ResponseStatus = 'in_progress' | 'completed' | 'incomplete' | 'failed';

export interface ResponseFacts {
  readonly status: ResponseStatus;
  readonly output: readonly object[];
  readonly usage: TokenUsage | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A response. https://platform.openai.com/docs/api-reference/responses/object */
export function responseObject(plan: ResponsePlan, { status, output, usage, error }: ResponseFacts): object {
  const { request } = plan;
  return {
    id: plan.id,
    object: 'response',
    created_at: Math.floor(plan.createdMs / 1000),
    status,
    background: false,
    error,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    model: request.model,
    output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: plan.previousId,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: request.reasoning?.summary ?? null },
    store: plan.store,
    temperature: null,
    text: { format: request.text?.format ?? { type: 'text' } },
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_p: null,
    truncation: 'disabled',
    usage: usage === null ? null : responseUsage(usage),
    user: null,
    metadata: request.metadata ?? {},
  };
}

export function statusOf({ finishReason }: Pick<Choice, 'finishReason'>): ResponseStatus {
  return finishReason === 'length' ? 'incomplete' : 'completed';
}

/** A response in one piece. */
export function wholeResponse(plan: ResponsePlan, choice: Choice): object {
  const { reasoning, text, toolCalls, usage } = choice;
  const items: ((index: number) => object)[] = [
    ...reasoning.map((summary) => (index: number) => reasoningItem(itemId(plan, 'rs', index), summary)),
    ...(text === '' && toolCalls.length > 0
      ? []
      : [(index: number) => messageItem(itemId(plan, 'msg', index), text, 'completed')]),
    ...toolCalls.map((call) => (index: number) => callItem(itemId(plan, 'fc', index), call, 'completed')),
  ];
  return responseObject(plan, {
    status: statusOf(choice),
    output: items.map((item, index) => item(index)),
    usage,
    error: null,
  });
}

/** The same for the item that is streamed and the item that is kept. */
export function itemId({ id }: ResponsePlan, kind: 'msg' | 'fc' | 'rs', index: number): string {
  return `${kind}_${id.replace(/^resp_/, '')}${String(index).padStart(4, '0')}`;
}

/** @param summary null while it is still to come */
export function reasoningItem(id: string, summary: string | null): object {
  return { id, type: 'reasoning', summary: summary === null ? [] : [summaryPart(summary)] };
}

export function summaryPart(text: string): object {
  return { type: 'summary_text', text };
}

export function messageItem(id: string, text: string | null, status: 'in_progress' | 'completed'): object {
  const content = text === null ? [] : [textPart(text)];
  return { id, type: 'message', status, role: 'assistant', content };
}

export function textPart(text: string): object {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

export function callItem(id: string, call: ToolCall, status: 'in_progress' | 'completed'): object {
  const args = status === 'completed' ? call.arguments : '';
  return { id, type: 'function_call', status, call_id: call.id, name: call.name, arguments: args };
}

function responseUsage({
  inputTokens,
  cachedInputTokens,
  outputTokens,
  reasoningTokens,
}: TokenUsage): object {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedInputTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}
