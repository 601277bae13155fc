import type { Logger } from '../domain/logger.ts';
import { AppError } from '../runtime/app-error.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { pause } from '../runtime/wait.ts';

export interface RetryStartOptions {
  readonly name: string;
  /** How often a start is tried again. */
  readonly startRetries: number;
  readonly logger: Logger;
}

const backoff = { initialMs: 200, maxMs: 3_000, jitter: 0.3 };

/** Tries a start again where it failed with kind `infrastructure`; rejects with what the last one failed with. */
export async function retryStart<Started>(
  start: () => Promise<Started>,
  { name, startRetries, logger }: RetryStartOptions,
  signal: AbortSignal,
): Promise<Started> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await start();
    } catch (error) {
      const again = error instanceof AppError && error.kind === 'infrastructure' && !signal.aborted;
      if (!again || failures > startRetries) throw error;
      logger.warn({ worker: name, failures, err: error }, 'A worker did not start');
      await pause(backoffMs(failures, backoff, Math.random()), signal);
    }
  }
}
