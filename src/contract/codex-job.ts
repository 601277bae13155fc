import { z } from 'zod';

/** What the operating system takes as a path or an argument has no NUL in it. */
const systemText = z.string().regex(/^[^\0]*$/, 'It must not hold a NUL character.');

/** Where a job's files come from: a folder on this machine, copied when the job is accepted, or an archive that an earlier job left. */
export const sourceSchema = z.union(
  [
    z.strictObject({
      dir: systemText.min(1),
      /** Of the folder as it was copied; written when the job is accepted, ignored before. */
      fingerprint: z.string().optional(),
      /** Files that the copy was not given, because they hold the provider's key; written when the job is accepted, ignored before. */
      withheld: z.array(z.string()).optional(),
    }),
    z.strictObject({ artifact: z.strictObject({ jobId: z.string(), name: z.string() }) }),
  ],
  { error: 'It must be {"dir": "/a/folder"} or {"artifact": {"jobId": "…", "name": "…"}}.' },
);
export type Source = Readonly<z.infer<typeof sourceSchema>>;

export const sandboxModes = ['read-only', 'workspace-write', 'danger-full-access'] as const;
export const sandboxModeSchema = z.enum(sandboxModes);
export type SandboxMode = z.infer<typeof sandboxModeSchema>;

/** Input of a `codex` job. */
export const codexJobInputSchema = z.strictObject({
  prompt: z.string().trim().min(1).max(1_000_000),
  source: sourceSchema,
  /** Overrides the setting `codex.model`. */
  model: systemText.min(1).optional(),
  /** The whole job's limit over all of one attempt, milliseconds. */
  timeoutMs: z
    .number()
    .int()
    .positive()
    .max(7 * 24 * 3600_000)
    .optional(),
  /** Shell commands that must exit 0 on the final tree, else the job fails; run in the job's sandbox. */
  checks: z.array(systemText.trim().min(1).max(10_000)).max(20).default([]),
  /** Whether the agent's commands may reach the network; overrides the setting `codex.network`. */
  network: z.boolean().optional(),
});
export type CodexJobInput = Readonly<z.infer<typeof codexJobInputSchema>>;
