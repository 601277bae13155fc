import { z } from 'zod';
import {
  effortSchema,
  imageDetailSchema,
  imageUrlSchema,
  jsonSchemaSchema,
  nameSchema,
  optional,
  stopSchema,
  tokenLimitSchema,
  verbositySchema,
} from './openai-parts.ts';

const textPart = z.object({ type: z.literal('text'), text: z.string() });
const imagePart = z.object({
  type: z.literal('image_url'),
  image_url: z.object({ url: imageUrlSchema, detail: optional(imageDetailSchema) }),
});
const refusalPart = z.object({ type: z.literal('refusal'), refusal: z.string() });

const texts = z.union([z.string(), z.array(textPart).min(1)]);
const userContent = z.union([
  z.string().min(1, 'must not be empty'),
  z.array(z.discriminatedUnion('type', [textPart, imagePart])).min(1),
]);
const assistantContent = z.union([
  z.string(),
  z.array(z.discriminatedUnion('type', [textPart, refusalPart])),
]);

const toolCall = z.object({
  id: z.string().min(1).max(256),
  type: z.literal('function').default('function'),
  function: z.object({ name: nameSchema, arguments: z.string() }),
});

const message = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer']), content: texts, name: optional(z.string()) }),
  z.object({ role: z.literal('user'), content: userContent, name: optional(z.string()) }),
  z
    .object({
      role: z.literal('assistant'),
      content: optional(assistantContent),
      refusal: optional(z.string()),
      tool_calls: optional(z.array(toolCall)),
      name: optional(z.string()),
    })
    .refine(
      ({ content, refusal, tool_calls }) =>
        content !== undefined || refusal !== undefined || (tool_calls ?? []).length > 0,
      { message: 'must have content or tool_calls', path: ['content'] },
    ),
  z.object({ role: z.literal('tool'), content: texts, tool_call_id: z.string().min(1).max(256) }),
]);
export type ChatMessage = z.output<typeof message>;

const tool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: nameSchema,
    description: optional(z.string()),
    parameters: optional(jsonSchemaSchema),
    strict: optional(z.boolean()),
  }),
});

const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.object({ type: z.literal('function'), function: z.object({ name: nameSchema }) }),
]);

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: nameSchema,
      description: optional(z.string()),
      schema: jsonSchemaSchema,
      strict: optional(z.boolean()),
    }),
  }),
]);

/** What has no knob in Codex and does no harm when it has no effect; answered with in `x-capstan-ignored`. */
const ignored = {
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  seed: optional(z.int()),
  presence_penalty: optional(z.number().min(-2).max(2)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  user: optional(z.string()),
  metadata: optional(z.record(z.string(), z.string())),
  store: optional(z.boolean()),
  service_tier: optional(z.string()),
  safety_identifier: optional(z.string()),
  prompt_cache_key: optional(z.string()),
  prompt_cache_retention: optional(z.string()),
} as const;
export const ignoredChatFields: readonly string[] = Object.keys(ignored);

/** `POST /v1/chat/completions`, as far as it can be honoured; any other field is refused by its name. */
export const chatRequestSchema = z.strictObject({
  ...ignored,
  model: z.string().min(1).max(200),
  messages: z.array(message).min(1, 'must not be empty'),
  stream: optional(z.boolean()),
  stream_options: optional(z.object({ include_usage: optional(z.boolean()) })),
  n: optional(z.int().min(1)),
  max_tokens: optional(tokenLimitSchema),
  max_completion_tokens: optional(tokenLimitSchema),
  stop: optional(stopSchema),
  reasoning_effort: optional(effortSchema),
  verbosity: optional(verbositySchema),
  response_format: optional(responseFormat),
  tools: optional(z.array(tool).max(128)),
  tool_choice: optional(toolChoice),
  parallel_tool_calls: optional(z.boolean()),
  logprobs: optional(z.literal(false)),
  top_logprobs: optional(z.literal(0)),
  modalities: optional(z.tuple([z.literal('text')])),
});
export type ChatRequest = z.output<typeof chatRequestSchema>;
