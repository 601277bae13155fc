import { z } from 'zod';

/** What went wrong, coarse enough to decide what happens next; see `domain/retry.ts` for what each kind does to a job. */
export const failureKinds = [
  'user',
  'configuration',
  'auth',
  'limit',
  'infrastructure',
  'agent',
  'cancelled',
  'timeout',
  'stalled',
  'lost',
] as const;

export const failureKindSchema = z.enum(failureKinds);
export type FailureKind = z.infer<typeof failureKindSchema>;

/** A failure as data: `code` is stable and snake_case, `message` names the cause, `hint` the next step. */
export const failureSchema = z.object({
  kind: failureKindSchema,
  code: z.string(),
  message: z.string(),
  hint: z.string(),
});
export type Failure = Readonly<z.infer<typeof failureSchema>>;
