import type { BuildEvent, TaskState } from '../../contract/build-event.ts';
import type { Failure } from '../../contract/failure.ts';
import type { TaskMemory } from './build-state.ts';
import type { Outputs } from './output-files.ts';

export interface TaskResult {
  readonly state: TaskState;
  readonly why: string;
  readonly jobId: string | null;
  /** Null where there are none to rely on. */
  readonly outputs: Outputs | null;
  readonly durationMs: number | null;
  readonly failure: Failure | null;
  readonly warnings?: readonly string[];
  /** What to remember of it; null: what is remembered already. */
  readonly memory: TaskMemory | null;
}

/** Whether there are outputs that others can rely on. */
export function isMade(result: TaskResult | undefined): boolean {
  return result !== undefined && result.outputs !== null;
}

export function finishedEvent(task: string, job: string, result: TaskResult): BuildEvent {
  return {
    type: 'task.finished',
    task,
    job,
    state: result.state,
    why: result.why,
    outputs: Object.keys(result.outputs ?? {}),
    durationMs: result.durationMs,
    jobId: result.jobId,
    warnings: [...(result.warnings ?? [])],
    ...(result.failure === null ? {} : { failure: result.failure }),
  };
}
