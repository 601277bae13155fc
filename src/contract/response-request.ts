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
  tokenLimitSchema,
  toolChoiceError,
  toolModeSchema,
  verbositySchema,
} from './openai-parts.ts';

const inputText = z.object({ type: z.literal('input_text'), text: z.string() });
const outputText = z.object({ type: z.literal('output_text'), text: z.string() });
const refusal = z.object({ type: z.literal('refusal'), refusal: z.string() });
const inputImage = z.object({
  type: z.literal('input_image'),
  image_url: imageUrlSchema,
  detail: optional(imageDetailSchema),
});
const content = z.union([
  z.string(),
  z.array(z.discriminatedUnion('type', [inputText, outputText, refusal, inputImage])).min(1),
]);

const message = z.object({
  type: z.literal('message').default('message'),
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content,
});
const functionCall = z.object({
  type: z.literal('function_call'),
  call_id: z.string().min(1).max(256),
  name: nameSchema,
  arguments: z.string(),
});
const functionCallOutput = z.object({
  type: z.literal('function_call_output'),
  call_id: z.string().min(1).max(256),
  output: z.union([z.string(), z.array(z.discriminatedUnion('type', [inputText, inputImage])).min(1)]),
});
/** Sent back by clients that keep the history themselves; it is for the model that wrote it. */
const reasoning = z.object({ type: z.literal('reasoning') });

const item = z.union([z.discriminatedUnion('type', [functionCall, functionCallOutput, reasoning]), message]);
export type ResponseInputItem = z.output<typeof item>;

const tool = functionSchema.extend({ type: z.literal('function') });

const toolChoice = z.union([toolModeSchema, z.object({ type: z.literal('function'), name: nameSchema })], {
  error: toolChoiceError,
});

const format = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  namedSchemaSchema.extend({ type: z.literal('json_schema') }),
]);

const ignored = {
  ...ignoredFields,
  include: optional(z.array(z.string())),
  stream_options: optional(z.object({ include_obfuscation: optional(z.boolean()) })),
} as const;
export const ignoredResponseFields: readonly string[] = Object.keys(ignored);

/** `POST /v1/responses`, as far as it can be honoured; any other field is refused by its name. */
export const responseRequestSchema = z.strictObject({
  ...ignored,
  ...modelFields,
  input: z.union([z.string().min(1, 'must not be empty'), z.array(item).min(1, 'must not be empty')]),
  instructions: optional(z.string()),
  previous_response_id: optional(z.string().min(1).max(200)),
  store: optional(z.boolean()),
  max_output_tokens: optional(tokenLimitSchema),
  reasoning: optional(
    z.object({
      effort: optional(effortSchema),
      summary: optional(z.enum(['auto', 'concise', 'detailed'])),
    }),
  ),
  text: optional(z.object({ format: optional(format), verbosity: optional(verbositySchema) })),
  tools: optional(z.array(tool).max(maxTools)),
  tool_choice: optional(toolChoice),
  truncation: optional(z.literal('disabled')),
  background: optional(z.literal(false)),
});
export type ResponseRequest = z.output<typeof responseRequestSchema>;
