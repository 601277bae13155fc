import { z } from 'zod';

/** A field that clients may leave out or send as null: both mean that it was not said. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** A name as OpenAI allows it for tools and schemas. */
export const nameSchema = z
  .string()
  .regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, underscores or dashes');

export const jsonSchemaSchema = z.record(z.string(), z.json());

export const reasoningEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;
export const effortSchema = z.enum(reasoningEfforts);
export const verbositySchema = z.enum(['low', 'medium', 'high']);

/** Longer ones would be held back for longer than a reader likes. */
export const stopSchema = z
  .union([z.string().min(1).max(256), z.array(z.string().min(1).max(256)).max(4)], {
    error: 'must be a string of 1 to 256 characters, or up to 4 of them',
  })
  .transform((stop) => (typeof stop === 'string' ? [stop] : stop));

export const tokenLimitSchema = z.int().min(1).max(10_000_000);

/** A data URL of an image whose base64 is whole. Codex takes no other, and to fetch one would let callers reach what this machine reaches. */
export const imageUrlSchema = z.string().superRefine((url, context) => {
  const problem = imageProblem(url);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

export const imageDetailSchema = z.enum(['auto', 'low', 'high']);

function imageProblem(url: string): string | null {
  if (!url.startsWith('data:')) return 'must be a data URL: an image that lies elsewhere is not fetched';
  const comma = url.indexOf(',');
  const head = url.slice(5, comma);
  if (comma === -1 || !/^image\/(png|jpe?g|gif|webp);base64$/.test(head))
    return 'must be a base64 data URL of a PNG, JPEG, GIF or WebP image';
  return isBase64(url, comma + 1) ? null : 'is not valid base64';
}

/** Whether the rest of `text` is base64 with its padding. A walk: an expression over megabytes may run out of stack. */
function isBase64(text: string, from: number): boolean {
  const length = text.length - from;
  if (length === 0 || length % 4 !== 0) return false;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  for (let at = from; at < text.length - padding; at += 1) {
    const code = text.charCodeAt(at);
    const isDigit = code >= 48 && code <= 57;
    const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
    if (!isDigit && !isLetter && code !== 43 && code !== 47) return false;
  }
  return true;
}

/** A tool of the client. */
export const functionSchema = z.object({
  name: nameSchema,
  description: optional(z.string()),
  parameters: optional(jsonSchemaSchema),
  strict: optional(z.boolean()),
});
export type FunctionTool = z.output<typeof functionSchema>;

export const maxTools = 128;
export const toolModeSchema = z.enum(['none', 'auto', 'required']);

export const toolChoiceError = 'must be "none", "auto", "required" or a function';

/** The schema that an answer has to fit. */
export const namedSchemaSchema = z.object({
  name: nameSchema,
  description: optional(z.string()),
  schema: jsonSchemaSchema,
  strict: optional(z.boolean()),
});

/** What has no knob in Codex and does no harm when it has no effect; answered with in `x-capstan-ignored`. */
export const ignoredFields = {
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  user: optional(z.string()),
  metadata: optional(z.record(z.string(), z.string())),
  service_tier: optional(z.string()),
  safety_identifier: optional(z.string()),
  prompt_cache_key: optional(z.string()),
  prompt_cache_retention: optional(z.string()),
} as const;

export const modelFields = {
  model: z.string().min(1).max(200),
  stream: optional(z.boolean()),
  parallel_tool_calls: optional(z.boolean()),
  top_logprobs: optional(z.literal(0)),
} as const;
