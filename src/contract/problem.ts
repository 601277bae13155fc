import { z } from 'zod';

/** An error over HTTP: RFC 9457 problem details, with our stable code and the next step. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  hint: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = Readonly<z.infer<typeof problemSchema>>;
