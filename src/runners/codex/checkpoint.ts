import { hostname } from 'node:os';
import { z } from 'zod';
import { attemptReportSchema, usageSchema, type Usage } from '../../contract/job.ts';
import type { ThreadHandle } from '../../codex/driver.ts';
import { emptyReport, type AttemptReport, type Checkpoint } from '../../domain/job.ts';

const noUsage = emptyReport.usage;

/** What lets a later attempt go on: the thread, its rollout file, and where the workspace lies. */
export const codexCheckpointSchema = z.object({
  threadId: z.string(),
  rolloutPath: z.string().nullable(),
  host: z.string(),
  workspaceDir: z.string(),
  /** What all attempts together have used, as far as it was metered. */
  spent: usageSchema.default(noUsage),
  /** Set once the agent has done its part: what is left to do needs no model. */
  finished: z
    .object({
      finalMessage: z.string().nullable(),
      model: z.string(),
      usage: usageSchema,
      warnings: z.array(z.string()),
    })
    .nullable()
    .default(null),
  /** The report without its checks, stored before the first of them runs: what they leave in the workspace is not the agent's. */
  collected: attemptReportSchema.nullable().default(null),
});
export type CodexCheckpoint = Readonly<z.infer<typeof codexCheckpointSchema>>;

/** The checkpoint if it can be used from this host and folder, else null: the attempt then starts clean. */
export function usableCheckpoint(
  checkpoint: Checkpoint | null,
  workspaceDir: string,
): CodexCheckpoint | null {
  const parsed = codexCheckpointSchema.safeParse(checkpoint);
  if (!parsed.success) return null;
  return parsed.data.host === hostname() && parsed.data.workspaceDir === workspaceDir ? parsed.data : null;
}

/** What earlier attempts used, also where their thread cannot be resumed. */
export function spentBefore(checkpoint: Checkpoint | null): Usage {
  const parsed = z.object({ spent: usageSchema }).safeParse(checkpoint);
  return parsed.success ? parsed.data.spent : noUsage;
}

interface Done {
  readonly spent: Usage;
  readonly finished?: {
    readonly finalMessage: string | null;
    readonly model: string;
    readonly usage: Usage;
    readonly warnings: readonly string[];
  };
  readonly collected?: AttemptReport;
}

/** @param done what the attempts have behind them */
export function checkpointOf(
  { threadId, rolloutPath }: ThreadHandle,
  workspaceDir: string,
  done: Done,
): Checkpoint {
  return { threadId, rolloutPath, host: hostname(), workspaceDir, ...done };
}
