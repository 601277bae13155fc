import { z } from 'zod';
import { failureSchema } from './failure.ts';

export const jobStates = ['queued', 'running', 'parked', 'succeeded', 'failed', 'cancelled'] as const;
export const jobStateSchema = z.enum(jobStates);
export type JobState = z.infer<typeof jobStateSchema>;

export const fileChangeSchema = z.object({
  /** Relative to the source folder, with `/` between its parts. */
  path: z.string(),
  change: z.enum(['created', 'modified', 'deleted']),
});
export type FileChange = Readonly<z.infer<typeof fileChangeSchema>>;

/** What the agent says that it did; kept beside `filesChanged`, which is what really changed. */
export const claimSchema = z.object({
  filesChanged: z.number().int().nonnegative().nullable(),
  files: z.array(fileChangeSchema),
  summary: z.string().nullable(),
});
export type Claim = Readonly<z.infer<typeof claimSchema>>;

export const usageSchema = z.object({
  inputTokens: z.number().int().nonnegative(),
  cachedInputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
});
export type Usage = Readonly<z.infer<typeof usageSchema>>;

export const agentSchema = z.object({ name: z.string(), version: z.string(), model: z.string() });
export type Agent = Readonly<z.infer<typeof agentSchema>>;

/** A command that was run on the final tree, in the job's sandbox, to verify what the agent did. */
export const checkSchema = z.object({
  command: z.string(),
  passed: z.boolean(),
  exitCode: z.number().int().nullable(),
  /** The tail of stdout and stderr together. */
  output: z.string(),
});
export type Check = Readonly<z.infer<typeof checkSchema>>;

export const artifactSchema = z.object({
  name: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  /** Lower-case hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The file's place among the outputs, with `/` between its parts and any characters in them; not there where the name says all. */
  path: z.string().optional(),
});
export type Artifact = Readonly<z.infer<typeof artifactSchema>>;

/** A job as every surface shows it: `--json`, HTTP and the dashboard. Times are ISO 8601, UTC. */
export const jobSchema = z.object({
  id: z.string(),
  type: z.string(),
  queue: z.string(),
  state: jobStateSchema,
  /** The number of the newest attempt, 0 before the first; it is the fence. */
  attempt: z.number().int().nonnegative(),
  maxAttempts: z.number().int().positive(),
  priority: z.number().int(),
  /** The type's own input as it was accepted. */
  input: z.unknown(),
  summary: z.string().nullable(),
  filesChanged: z.array(fileChangeSchema),
  claimed: claimSchema.nullable(),
  /** What was verified after the agent ended; empty where nothing was asked for. */
  checks: z.array(checkSchema),
  warnings: z.array(z.string()),
  usage: usageSchema,
  agent: agentSchema.nullable(),
  threadId: z.string().nullable(),
  /** Whether the newest attempt continued the thread of an earlier one. */
  resumed: z.boolean(),
  /** From the first attempt's start to the end (or to now), milliseconds; 0 before the start. */
  durationMs: z.number().nonnegative(),
  artifacts: z.array(artifactSchema),
  failure: failureSchema.optional(),
  cancelRequested: z.boolean(),
  workerId: z.string().nullable(),
  retryOf: z.string().nullable(),
  runAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
});
/** The part of a job that its newest attempt has found out. */
export const attemptReportSchema = jobSchema.pick({
  summary: true,
  filesChanged: true,
  claimed: true,
  checks: true,
  warnings: true,
  usage: true,
  agent: true,
  threadId: true,
  resumed: true,
  artifacts: true,
});
export type JobView = Readonly<z.infer<typeof jobSchema>>;

export const jobListSchema = z.object({ items: z.array(jobSchema), nextCursor: z.string().nullable() });

/** Body of `POST /api/jobs`. `input` is checked against the schema of its `type`. */
export const submitJobSchema = z.strictObject({
  type: z.string().default('codex'),
  queue: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .optional(),
  input: z.record(z.string(), z.unknown()),
  priority: z.number().int().min(-100).max(100).default(0),
  maxAttempts: z.number().int().min(1).max(20).default(3),
  /** The same key hands back the job that was accepted first. */
  idempotencyKey: z.string().min(1).max(200).optional(),
  /** Not before this time. */
  runAt: z.iso.datetime({ offset: true }).optional(),
});
export type SubmitJob = Readonly<z.infer<typeof submitJobSchema>>;
