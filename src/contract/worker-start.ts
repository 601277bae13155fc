import { z } from 'zod';
import { failureSchema } from './failure.ts';

/** What a worker that was started by a launcher says on its stdout, one line of JSON: that it takes jobs, or why it cannot. */
export const workerStartSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('worker.ready'), workerId: z.string() }),
  z.object({ type: z.literal('worker.failed'), failure: failureSchema }),
]);
export type WorkerStart = Readonly<z.infer<typeof workerStartSchema>>;
