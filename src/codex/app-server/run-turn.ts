import { AppError } from '../../runtime/app-error.ts';
import { deferred, within } from '../../runtime/wait.ts';
import type { AgentThreadRequest, AgentTurnError, AgentTurnResult, StartedThread } from '../driver.ts';
import type { Turn } from '../protocol/generated/v2/Turn.ts';
import type { TurnError } from '../protocol/generated/v2/TurnError.ts';
import type { AppServerClient } from './app-server-client.ts';
import type { ThreadWatch } from './thread-watch.ts';

/** How long Codex may take to end a turn that was interrupted. */
const interruptLimitMs = 10_000;

/** Runs one turn to its end; when the request's signal aborts, interrupts it. Rejects with `agent_unresponsive` where that does not help. */
export async function runTurn(
  client: AppServerClient,
  thread: StartedThread & { readonly watch: ThreadWatch },
  request: AgentThreadRequest,
): Promise<AgentTurnResult> {
  const { threadId, watch } = thread;
  const started = await client.call('turn/start', {
    threadId,
    environments: [{ environmentId: 'local', cwd: request.workspaceDir }],
    input: [{ type: 'text', text: request.prompt, text_elements: [] }],
  });
  const turn = await endOf(started.turn.id, { client, threadId, watch, signal: request.signal });
  return {
    status: turn.status === 'inProgress' ? 'interrupted' : turn.status,
    finalMessage: watch.finalMessage,
    usage: watch.usage,
    error: turn.error === null ? null : errorOf(turn.error),
    threadId,
    rolloutPath: thread.rolloutPath,
    resumed: thread.resumed,
  };
}

function errorOf({ message, codexErrorInfo, additionalDetails }: TurnError): AgentTurnError {
  return { message, info: codexErrorInfo, additionalDetails };
}

interface RunningTurn {
  readonly client: AppServerClient;
  readonly threadId: string;
  readonly watch: ThreadWatch;
  readonly signal: AbortSignal;
}

async function endOf(turnId: string, { client, threadId, watch, signal }: RunningTurn): Promise<Turn> {
  const ended = watch.turnEnded(turnId);
  // Who waits for it is decided below; until then its failure has an owner here.
  ended.catch(() => undefined);
  if ((await settledOrAborted(ended, signal)) === 'settled') return ended;
  await client.call('turn/interrupt', { threadId, turnId }).catch((error: unknown) => {
    // The turn may have ended by itself at the same moment; then the wait below is over at once.
    if (!(error instanceof AppError) || error.code !== 'rpc_error') throw error;
  });
  return within(
    ended,
    interruptLimitMs,
    () =>
      new AppError('infrastructure', 'agent_unresponsive', 'Codex did not end a turn that was interrupted.', {
        hint: 'Its process is replaced; other jobs in it are resumed.',
      }),
  );
}

async function settledOrAborted(
  ended: Promise<unknown>,
  signal: AbortSignal,
): Promise<'settled' | 'aborted'> {
  if (signal.aborted) return 'aborted';
  const aborted = deferred<'aborted'>();
  const onAbort = (): void => {
    aborted.resolve('aborted');
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const settled = ended.then(
      () => 'settled' as const,
      () => 'settled' as const,
    );
    return await Promise.race([settled, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
