import type { z } from 'zod';
import type { JobId } from '../../domain/ids.ts';

/** What the service knows of a job type: its input, and what is set aside for a job when it is accepted. */
export interface JobType {
  readonly inputSchema: z.ZodType;
  /**
   * Secures what the job needs (a copy of its files) before it is accepted, and gives the input as it is stored.
   * @param input what `inputSchema` gave
   * @param retryOf the job whose material is used again instead, null for a new one
   */
  prepare(id: JobId, input: unknown, retryOf: JobId | null): Promise<unknown>;
  /** Gives back what `prepare` set aside, when the job was not accepted after all. */
  discard(id: JobId): Promise<void>;
}

export type JobTypes = ReadonlyMap<string, JobType>;
