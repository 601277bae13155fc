import { z } from 'zod';

/** What whoever starts a worker with `--secrets` says first on its stdin, one line of JSON: keys by the names that they have as environment variables. */
export const workerSecretsSchema = z.object({
  type: z.literal('worker.secrets'),
  secrets: z.record(z.string(), z.string()),
});
export type WorkerSecrets = Readonly<z.infer<typeof workerSecretsSchema>>;
