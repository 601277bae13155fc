import { z } from 'zod';
import { checkSchema, fileChangeSchema, jobSchema, usageSchema } from './job.ts';
import { failureSchema } from './failure.ts';

export const jobPhases = [
  'preparing',
  'starting_agent',
  'resuming_agent',
  'agent_working',
  'converting',
  'collecting',
  'checking',
] as const;
export const jobPhaseSchema = z.enum(jobPhases);
export type JobPhase = z.infer<typeof jobPhaseSchema>;

/** What happens to a job, as it happens. `job.finished` is always the last and carries the job. */
export const jobEventBodySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job.accepted'), jobType: z.string(), queue: z.string() }),
  z.object({ type: z.literal('job.started'), workerId: z.string() }),
  z.object({ type: z.literal('job.phase'), phase: jobPhaseSchema }),
  z.object({ type: z.literal('job.warning'), message: z.string() }),
  z.object({ type: z.literal('job.requeued'), failure: failureSchema.optional(), runAt: z.iso.datetime() }),
  z.object({ type: z.literal('job.parked'), failure: failureSchema, until: z.iso.datetime() }),
  z.object({ type: z.literal('job.cancel_requested') }),
  z.object({ type: z.literal('agent.thread'), threadId: z.string(), resumed: z.boolean() }),
  z.object({ type: z.literal('agent.message'), itemId: z.string(), text: z.string() }),
  z.object({ type: z.literal('agent.message.delta'), itemId: z.string(), delta: z.string() }),
  z.object({ type: z.literal('agent.reasoning'), itemId: z.string(), text: z.string() }),
  z.object({
    type: z.literal('agent.command'),
    itemId: z.string(),
    command: z.string(),
    status: z.enum(['running', 'completed', 'failed', 'declined']),
    exitCode: z.number().int().nullable(),
    /** The tail of stdout and stderr together, cut to a few kilobytes; the transcript has it whole. */
    output: z.string(),
  }),
  z.object({
    type: z.literal('agent.file_change'),
    itemId: z.string(),
    status: z.enum(['running', 'completed', 'failed', 'declined']),
    files: z.array(fileChangeSchema),
  }),
  z.object({ type: z.literal('agent.tool'), itemId: z.string(), name: z.string(), status: z.string() }),
  z.object({ type: z.literal('agent.usage'), usage: usageSchema }),
  z.object({ type: z.literal('agent.declined'), request: z.string(), reason: z.string() }),
  z.object({ type: z.literal('job.check'), check: checkSchema }),
  z.object({ type: z.literal('agent.error'), message: z.string(), willRetry: z.boolean() }),
  z.object({ type: z.literal('job.finished'), job: jobSchema }),
]);
export type JobEventBody = Readonly<z.infer<typeof jobEventBodySchema>>;

const envelopeSchema = z.object({
  jobId: z.string(),
  /** Counts from 1 without a gap within one job: the id of the server-sent event. */
  seq: z.number().int().positive(),
  attempt: z.number().int().nonnegative(),
  at: z.iso.datetime(),
});
export const jobEventSchema = z.intersection(envelopeSchema, jobEventBodySchema);
export type JobEvent = Readonly<z.infer<typeof envelopeSchema>> & JobEventBody;
