import { z } from 'zod';
import { sourceSchema } from './codex-job.ts';

/** Where a document job's files come from: one file or a folder on this machine, copied when the job is accepted, or what an earlier job left. */
export const documentSourceSchema = z.union([
  z.strictObject({
    file: z.string().min(1),
    /** Of the file as it was copied; written when the job is accepted, ignored before. */
    fingerprint: z.string().optional(),
  }),
  ...sourceSchema.options,
]);
export type DocumentSource = Readonly<z.infer<typeof documentSourceSchema>>;

const relativePath = z
  .string()
  .min(1)
  .max(1_000)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'), {
    error: 'must be a path inside the source, with / between its parts',
  });

/** What every document job says, whatever the tool. */
export const documentJobShape = {
  source: documentSourceSchema,
  /** The files of the source to convert; where none are named, all that the tool can read. The others are there to be included. */
  files: z.array(relativePath).min(1).max(1_000).optional(),
  /** The whole job's limit over all of one attempt, milliseconds. */
  timeoutMs: z
    .number()
    .int()
    .positive()
    .max(24 * 3_600_000)
    .optional(),
} as const;

const _documentJobSchema = z.object(documentJobShape);
export type DocumentJobInput = Readonly<z.infer<typeof _documentJobSchema>>;

/** A list of formats, each once. */
export function formatsSchema<const Format extends string>(
  formats: readonly Format[],
  fallback: NoInfer<Format>,
) {
  return z
    .array(z.enum(formats as readonly [Format, ...Format[]]))
    .min(1)
    .transform((list) => [...new Set(list)])
    .default([fallback] as Format[]);
}
