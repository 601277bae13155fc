import type { CodexCheckpoint } from './checkpoint.ts';
import type { AgentRun } from './run-agent.ts';

/** The agent's part as an earlier attempt saw it end, where it did: only what comes after is left to be done. Null where it did not. */
export function finishedRun(checkpoint: CodexCheckpoint | null): AgentRun | null {
  if (!checkpoint?.finished) return null;
  const { threadId, rolloutPath, finished } = checkpoint;
  const { finalMessage, model, usage, warnings } = finished;
  const thread = { threadId, rolloutPath, resumed: true };
  return {
    ...thread,
    turn: { ...thread, status: 'completed', finalMessage, usage, error: null },
    error: null,
    faults: [],
    usage,
    model,
    warnings,
  };
}
