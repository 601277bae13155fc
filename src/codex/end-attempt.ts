import { killMarked } from '../supervisor/kill-marked.ts';
import { attemptMark, attemptVariable } from './thread-config.ts';

const killLimitMs = 10_000;

/** Resolves when no process of the attempt is alive; kills those that are. Rejects with `leftovers_alive`. */
export async function endAttempt(attempt: {
  readonly jobId: string;
  readonly attempt: number;
}): Promise<void> {
  const marker = `${attemptVariable}=${attemptMark(attempt)}`;
  // Not the job's own signal: what was started must end all the more when the job is cancelled.
  await killMarked(marker, { signal: AbortSignal.timeout(2 * killLimitMs), limitMs: killLimitMs });
}
