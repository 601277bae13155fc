import { z } from 'zod';

export const workerStatusSchema = z.enum(['starting', 'idle', 'busy', 'draining', 'hung', 'dead']);
export type WorkerStatus = z.infer<typeof workerStatusSchema>;

export const workerSchema = z.object({
  id: z.string(),
  /** What its launcher calls it; null for one that a person started. */
  name: z.string().nullable(),
  /** The build that it serves alone. */
  buildId: z.string().nullable(),
  types: z.array(z.string()),
  queues: z.array(z.string()),
  mode: z.enum(['direct', 'docker', 'kubernetes']),
  host: z.string(),
  pid: z.number().int().positive(),
  /** As the engine's lists show it; null for one in no container. */
  containerId: z.string().nullable(),
  status: workerStatusSchema,
  concurrency: z.number().int().positive(),
  activeJobs: z.number().int().nonnegative(),
  jobsProcessed: z.number().int().nonnegative(),
  startedAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime(),
});
export type WorkerView = Readonly<z.infer<typeof workerSchema>>;
