import {
  ignoredResponseFields,
  responseRequestSchema,
  type ResponseRequest,
} from '../contract/response-request.ts';
import { createHash } from 'node:crypto';
import { newId } from '../runtime/ids.ts';
import { ignoredIn } from './ignored-in.ts';
import { parseBody } from './parse-body.ts';
import type { PlanContext } from './plan-chat.ts';
import { inputItems, responseConversation } from './response-conversation.ts';
import type { TextLimits } from './text-cut.ts';
import { answerInstructions, chooseTools, clientTool, developerMessage } from './tool-choice.ts';
import type { HistoryItem, TurnSpec } from './turn.ts';

/** A Responses request as it will be carried out; which thread it goes on with is decided when it is. */
export interface ResponsePlan {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly createdMs: number;
  readonly request: ResponseRequest;
  /** As requested. */
  readonly model: string;
  readonly stream: boolean;
  readonly store: boolean;
  readonly previousId: string | null;
  /** With an ephemeral or kept thread, as if nothing came before. */
  readonly spec: TurnSpec;
  /** What is sent now, as items. */
  readonly sent: readonly HistoryItem[];
  readonly limits: TextLimits;
  readonly mustCall: boolean;
  /** What is sent now and comes before the turn's input, without what stands for the whole conversation. */
  readonly fresh: readonly HistoryItem[];
  /** A fingerprint of all that a thread with tools has besides its conversation; empty without tools. */
  readonly heldAs: string;
  readonly ignored: readonly string[];
}

/** Throws `invalid_request_error` with the field, or `model_not_found`. */
export function planResponse(body: unknown, context: PlanContext): ResponsePlan {
  const request = parseBody(responseRequestSchema, body);
  const offered = context.catalog.find(request.model);
  const choice = request.tool_choice ?? 'auto';
  const tools = chooseTools((request.tools ?? []).map(clientTool), choice);
  const format = request.text?.format;
  const { history, input } = responseConversation(request.input);
  const standing: HistoryItem[] = [
    ...answerInstructions(tools, format?.type),
    ...(request.instructions === undefined ? [] : [developerMessage(request.instructions)]),
  ];
  const settings = {
    model: context.model,
    effort: request.reasoning?.effort ?? offered.effort,
    verbosity: request.text?.verbosity ?? null,
    summary: request.reasoning?.summary ?? null,
    tools: tools.tools,
    parallelTools: request.parallel_tool_calls ?? true,
    outputSchema: format?.type === 'json_schema' ? format.schema : null,
  };
  const hasTools = tools.tools.length > 0;
  const store = request.store ?? true;
  return {
    id: `resp_${newId().replaceAll('-', '')}`,
    createdMs: context.nowMs,
    request,
    model: request.model,
    stream: request.stream ?? false,
    store,
    previousId: request.previous_response_id ?? null,
    sent: inputItems(request.input),
    limits: { stop: [], maxTokens: request.max_output_tokens ?? null },
    mustCall: tools.mustCall,
    fresh: history,
    heldAs: hasTools ? fingerprint([standing, settings]) : '',
    ignored: ignoredIn(request, ignoredResponseFields, request.tools ?? []),
    spec: {
      ...settings,
      history: [...standing, ...history],
      input,
      thread: { kind: threadKind({ store, hasTools, mustCall: tools.mustCall }) },
    },
  };
}

/** A model that must call is asked again in another thread. */
function threadKind(plan: { store: boolean; hasTools: boolean; mustCall: boolean }) {
  if (!plan.store || plan.mustCall) return 'ephemeral';
  return plan.hasTools ? 'held' : 'kept';
}

function fingerprint(of: unknown): string {
  return createHash('sha256').update(JSON.stringify(of)).digest('base64url');
}
