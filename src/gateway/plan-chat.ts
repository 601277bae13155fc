import { chatRequestSchema, ignoredChatFields, type ChatRequest } from '../contract/chat-request.ts';
import type { JsonValue } from '../codex/protocol/generated/serde_json/JsonValue.ts';
import { newId } from '../runtime/ids.ts';
import { badRequest } from './bad-request.ts';
import { chatConversation } from './chat-conversation.ts';
import { ignoredIn } from './ignored-in.ts';
import type { ModelCatalog } from './model-catalog.ts';
import { parseBody } from './parse-body.ts';
import type { TextLimits } from './text-cut.ts';
import { answerInstructions, chooseTools, clientTool } from './tool-choice.ts';
import type { TurnSpec } from './turn.ts';

export interface PlanContext {
  readonly catalog: ModelCatalog;
  /** The model that all names stand for. */
  readonly model: string;
  readonly maxChoices: number;
  readonly nowMs: number;
}

/** A chat completion request as it will be carried out. */
export interface ChatPlan {
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
  /** As requested. */
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly choices: number;
  readonly spec: TurnSpec;
  readonly limits: TextLimits;
  readonly mustCall: boolean;
  /** What was accepted and has no effect. */
  readonly ignored: readonly string[];
}

/** Throws `invalid_request_error` with the field, or `model_not_found`. */
export function planChat(body: unknown, context: PlanContext): ChatPlan {
  const request = parseBody(chatRequestSchema, body);
  const offered = context.catalog.find(request.model);
  const choices = request.n ?? 1;
  if (choices > context.maxChoices) throw badRequest(`'n' must be 1 to ${context.maxChoices}.`, 'n');
  const functions = (request.tools ?? []).map((tool) => tool.function);
  const tools = chooseTools(functions.map(clientTool), toolChoiceOf(request));
  const { history, input } = chatConversation(request.messages);
  const notes = answerInstructions(tools, request.response_format?.type);
  return {
    id: `chatcmpl-${newId()}`,
    created: Math.floor(context.nowMs / 1000),
    model: request.model,
    stream: request.stream ?? false,
    includeUsage: request.stream_options?.include_usage ?? false,
    choices,
    mustCall: tools.mustCall,
    limits: { stop: request.stop ?? [], maxTokens: maxTokensOf(request) },
    ignored: ignoredIn(request, ignoredChatFields, functions),
    spec: {
      history: [...notes, ...history],
      input,
      model: context.model,
      effort: request.reasoning_effort ?? offered.effort,
      verbosity: request.verbosity ?? null,
      summary: null,
      tools: tools.tools,
      parallelTools: request.parallel_tool_calls ?? true,
      outputSchema: outputSchemaOf(request),
      thread: { kind: 'ephemeral' },
    },
  };
}

function toolChoiceOf({ tool_choice: choice }: ChatRequest) {
  if (choice === undefined || typeof choice === 'string') return choice ?? 'auto';
  return { name: choice.function.name };
}

function maxTokensOf({ max_completion_tokens, max_tokens }: ChatRequest): number | null {
  if (max_completion_tokens === undefined) return max_tokens ?? null;
  return Math.min(max_completion_tokens, max_tokens ?? max_completion_tokens);
}

function outputSchemaOf({ response_format: format }: ChatRequest): JsonValue | null {
  return format?.type === 'json_schema' ? format.json_schema.schema : null;
}
