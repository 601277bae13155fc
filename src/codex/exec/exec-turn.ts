import { AppError } from '../../runtime/app-error.ts';
import { deferred } from '../../runtime/wait.ts';
import type { JobEventBody } from '../../contract/event.ts';
import type { Usage } from '../../contract/job.ts';
import type { AgentTurnError } from '../driver.ts';
import { noUsage } from '../turn-usage.ts';
import { parseExecEvent, type ExecEvent } from './exec-event.ts';
import { execItemEvent } from './exec-item-event.ts';

export interface ExecTurnOptions {
  readonly workspaceDir: string;
  readonly onEvent: (event: JobEventBody) => void;
}

/** What one run of `codex exec` has said so far. */
export class ExecTurn {
  readonly #options: ExecTurnOptions;
  readonly #threadId = deferred<string>();
  /** Null until the turn has ended by itself. */
  status: 'completed' | 'failed' | null = null;
  error: AgentTurnError | null = null;
  usage: Usage = noUsage;
  finalMessage: string | null = null;

  constructor(options: ExecTurnOptions) {
    this.#options = options;
  }

  /** Resolves when the thread is open; never where it is refused. */
  get threadId(): Promise<string> {
    return this.#threadId.promise;
  }

  onLine(line: string): void {
    const event = parseExecEvent(line);
    if (event !== null) this.#onEvent(event);
  }

  #onEvent(event: ExecEvent): void {
    switch (event.type) {
      case 'thread.started':
        this.#threadId.resolve(event.thread_id);
        break;
      case 'turn.started':
        break;
      case 'item.started':
      case 'item.updated':
      case 'item.completed':
        this.#onItem(event);
        break;
      case 'turn.completed': {
        const { input_tokens, cached_input_tokens, output_tokens } = event.usage;
        this.status = 'completed';
        this.usage = {
          inputTokens: input_tokens,
          cachedInputTokens: cached_input_tokens,
          outputTokens: output_tokens,
        };
        this.#options.onEvent({ type: 'agent.usage', usage: this.usage });
        break;
      }
      case 'turn.failed':
        this.status = 'failed';
        this.error = { message: event.error.message, info: null, additionalDetails: null };
        break;
      case 'error':
        // The last one is said again by turn.failed.
        this.#options.onEvent({
          type: 'agent.error',
          message: event.message,
          willRetry: event.message.startsWith('Reconnecting'),
        });
    }
  }

  #onItem({ type, item }: ExecEvent & { readonly type: `item.${string}` }): void {
    const ended = type === 'item.completed';
    if (ended && item.type === 'agent_message' && 'text' in item && item.text !== '')
      this.finalMessage = item.text;
    const event = execItemEvent(item, ended ? 'ended' : 'running', this.#options.workspaceDir);
    if (event !== null) this.#options.onEvent(event);
  }
}

/** Why a run that opened no thread, or left its turn open, is over. */
export function execFailed(
  exit: { readonly code: number | null; readonly stderr: string },
  resuming: boolean,
): AppError {
  const said = exit.stderr.trim().split('\n').slice(-5).join('\n') || `exit code ${exit.code ?? 'none'}`;
  return resuming
    ? new AppError('infrastructure', 'thread_not_resumable', `codex exec did not resume the thread: ${said}`)
    : new AppError(
        'infrastructure',
        'agent_process_exited',
        `codex exec ended in the middle of its work: ${said}`,
        {
          hint: 'The job is tried again by itself.',
        },
      );
}
