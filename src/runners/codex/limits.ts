import { AppError } from '../../runtime/app-error.ts';

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** Nothing was seen of the agent for too long. */
export const stalled = (limitMs: number): AppError =>
  new AppError('stalled', 'agent_stalled', `The agent made no progress for ${seconds(limitMs)}.`, {
    hint: 'Raise codex.stall_timeout if its commands or the model may really be silent for so long.',
  });

/** The attempt has had its whole time. */
export const timedOut = (limitMs: number): AppError =>
  new AppError('timeout', 'job_timeout', `The job did not end within ${seconds(limitMs)}.`, {
    hint: 'Give it more time with --timeout, or ask for less at once.',
  });
