import { z } from 'zod';
import {
  effortSchema,
  imageDetailSchema,
  imageUrlSchema,
  functionSchema,
  ignoredFields,
  maxTools,
  modelFields,
  namedSchemaSchema,
  nameSchema,
  optional,
  stopSchema,
  tokenLimitSchema,
  toolChoiceError,
  toolModeSchema,
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

const tool = z.object({ type: z.literal('function'), function: functionSchema });

const toolChoice = z.union(
  [toolModeSchema, z.object({ type: z.literal('function'), function: z.object({ name: nameSchema }) })],
  { error: toolChoiceError },
);

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({ type: z.literal('json_schema'), json_schema: namedSchemaSchema }),
]);

const ignored = {
  ...ignoredFields,
  seed: optional(z.int()),
  presence_penalty: optional(z.number().min(-2).max(2)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  store: optional(z.boolean()),
} as const;
export const ignoredChatFields: readonly string[] = Object.keys(ignored);

/** `POST /v1/chat/completions`, as far as it can be honoured; any other field is refused by its name. */
export const chatRequestSchema = z.strictObject({
  ...ignored,
  ...modelFields,
  messages: z.array(message).min(1, 'must not be empty'),
  stream_options: optional(z.object({ include_usage: optional(z.boolean()) })),
  n: optional(z.int().min(1)),
  max_tokens: optional(tokenLimitSchema),
  max_completion_tokens: optional(tokenLimitSchema),
  stop: optional(stopSchema),
  reasoning_effort: optional(effortSchema),
  verbosity: optional(verbositySchema),
  response_format: optional(responseFormat),
  tools: optional(z.array(tool).max(maxTools)),
  tool_choice: optional(toolChoice),
  logprobs: optional(z.literal(false)),
  modalities: optional(z.tuple([z.literal('text')])),
});
export type ChatRequest = z.output<typeof chatRequestSchema>;
