import { z } from 'zod';

const oneOrMany = <Schema extends z.ZodType<string>>(schema: Schema) =>
  z
    .union([schema, z.array(schema).min(1)], { error: 'must be a text that is not empty, or a list of such' })
    .transform((value): readonly string[] => (typeof value === 'string' ? [value] : value));

export const manifestIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be up to 64 letters, digits, dots, dashes, underscores');

/** Texts that may be given as one or as a list. */
export const textsSchema = oneOrMany(z.string().trim().min(1));

/** One line of `jobs`; what its type knows besides is checked by the type. */
export const manifestJobSchema = z.looseObject({
  /** Default: the folder of `input` or `source`, else the type. */
  id: manifestIdSchema.optional(),
  type: z.string().min(1),
  /** Ids whose outputs this one depends on. */
  needs: oneOrMany(manifestIdSchema).default([]),
  /** Files beside the input that the result depends on: paths or globs. */
  uses: textsSchema.default([]),
});
export type ManifestJob = Readonly<z.infer<typeof manifestJobSchema>>;

/** `course.yaml`: what `capstan build` makes, from which files, into which folder. Paths start at its own folder. */
export const manifestSchema = z.strictObject({
  name: z.string().trim().min(1).optional(),
  output: z.string().trim().min(1).default('dist'),
  jobs: z.array(manifestJobSchema).min(1, 'there must be at least one job').max(10_000),
});
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
