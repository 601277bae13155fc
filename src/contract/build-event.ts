import { z } from 'zod';
import { failureSchema } from './failure.ts';

export const taskStateSchema = z.enum(['cached', 'restored', 'built', 'failed', 'skipped', 'cancelled']);
export type TaskState = z.infer<typeof taskStateSchema>;

export const typeProgressSchema = z.object({
  type: z.string(),
  activeWorkers: z.number().int().nonnegative(),
  queueDepth: z.number().int().nonnegative(),
  running: z.number().int().nonnegative(),
  averageMs: z.number().nonnegative().nullable(),
});
export type TypeProgress = Readonly<z.infer<typeof typeProgressSchema>>;

/** What happens in a build, as it happens: one line of `--output json` each. `build.finished` is the last. */
export const buildEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('build.started'),
    name: z.string(),
    tasks: z.number().int(),
    /** How many are to be made or restored; the rest is up to date. */
    affected: z.number().int(),
    /** Tasks of each job of the manifest, in the order of the file. */
    jobs: z.array(
      z.object({ id: z.string(), type: z.string(), tasks: z.number().int(), needs: z.array(z.string()) }),
    ),
  }),
  z.object({ type: z.literal('build.warning'), message: z.string() }),
  z.object({
    type: z.literal('workers.used'),
    workerType: z.string(),
    mode: z.string(),
    reused: z.number().int(),
    started: z.number().int(),
    /** Who said how many and in which mode. */
    source: z.string(),
  }),
  z.object({
    type: z.literal('task.queued'),
    task: z.string(),
    job: z.string(),
    jobId: z.string(),
    why: z.string(),
  }),
  z.object({
    type: z.literal('task.finished'),
    task: z.string(),
    job: z.string(),
    state: taskStateSchema,
    why: z.string(),
    outputs: z.array(z.string()),
    durationMs: z.number().nonnegative().nullable(),
    jobId: z.string().nullable(),
    /** What did not keep it from being made. */
    warnings: z.array(z.string()),
    failure: failureSchema.optional(),
  }),
  z.object({
    type: z.literal('build.progress'),
    types: z.array(typeProgressSchema),
    done: z.number().int(),
    tasks: z.number().int(),
  }),
  z.object({
    type: z.literal('build.finished'),
    ok: z.boolean(),
    counts: z.record(taskStateSchema, z.number().int()),
    durationMs: z.number().nonnegative(),
    output: z.string(),
  }),
]);
export type BuildEvent = Readonly<z.infer<typeof buildEventSchema>>;
