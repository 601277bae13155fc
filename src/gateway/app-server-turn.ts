import type { AppServerClient } from '../codex/app-server/app-server-client.ts';
import type { DynamicToolCallResponse } from '../codex/protocol/generated/v2/DynamicToolCallResponse.ts';
import type { Turn } from '../codex/protocol/generated/v2/Turn.ts';
import { AppError } from '../runtime/app-error.ts';
import { deferred, within } from '../runtime/wait.ts';
import { isLoadedOpenly, isRefusal, noEnvironment, openThread, type ThreadOpening } from './open-thread.ts';
import { threadProfile, type ThreadSettings } from './thread-settings.ts';
import { toolAnswer } from './tool-answer.ts';
import { TurnWatch, type ToolAnswers } from './turn-watch.ts';
import { enough, textOf, type TurnEnd, type TurnListener, type TurnSpec } from './turn.ts';

/** How long Codex may take to end a turn that was interrupted. */
const interruptLimitMs = 10_000;

export interface TurnRun extends ThreadOpening {
  readonly listener: TurnListener;
  /** Why going on is pointless after an error that Codex would try to overcome; null where it may be overcome. */
  readonly hopeless: (error: { readonly message: string; readonly info: unknown }) => AppError | null;
  /** A thread that was started for such a turn, or left by one before. */
  readonly ready?: ReadyThread | undefined;
  /** Told which thread it is, before its turn begins. */
  readonly onThread?: (threadId: string) => Promise<void>;
  /** Takes over letting go of the thread; without it the turn has ended only after that. */
  readonly background?: (work: Promise<void>) => void;
}

export interface RanTurn extends TurnEnd {
  readonly failed: Turn['error'];
  /** Of a thread that is to be held and can be; whoever has it lets go of it. */
  readonly left: ReadyThread | null;
}

/** A thread in the process that waits for its next request. */
export interface ReadyThread {
  readonly threadId: string;
  /** The turn that waits for the answers to its calls. */
  readonly paused: PausedTurn | null;
}

/** Disposed when it will not go on. */
interface PausedTurn extends Disposable {
  readonly turnId: string;
  readonly watch: TurnWatch;
}

/**
 * Runs one turn in the app-server, or what is left of one that was paused, and lets go of its thread, however it ends, unless it is to be held. Rejects with the client's errors, `thread_gone`, or the
 * signal's reason once the turn is interrupted.
 */
export async function runAppServerTurn(client: AppServerClient, run: TurnRun): Promise<RanTurn> {
  const threadId = run.ready?.threadId ?? (await openThread(client, run));
  let left: ReadyThread | null = null;
  try {
    await run.onThread?.(threadId);
    run.signal.throwIfAborted();
    using turn = new DisposableStack();
    const running = await beginTurn(client, threadId, run);
    turn.use(running);
    const isHeld = run.spec.thread.kind === 'held' || run.spec.thread.kind === 'taken';
    const end = await endOf(client, { threadId, ...running, isHeld }, run.signal);
    if (isHeld && end.failed === null && end.reason === 'completed') left = { threadId, paused: null };
    if (isHeld && end.reason === 'tool_calls' && running.watch.calls !== null) {
      running.watch.pause();
      turn.move();
      left = { threadId, paused: running };
    }
    return { ...end, left };
  } finally {
    if (left === null) {
      const released = letGoOf(client, threadId, run.settings.sandboxMode);
      if (run.background === undefined) await released;
      else run.background(released);
    }
  }
}

/** The answers that a paused turn goes on with; null where the request has others to give, or more to say, or the turn has ended since. */
export function answersFor(paused: PausedTurn, { history, input }: TurnSpec): ToolAnswers | null {
  if (paused.watch.isOver) return null;
  const answers = new Map(history.map((item) => [textOf(item, 'call_id'), toolAnswer(item)] as const));
  const calls = paused.watch.calls ?? [];
  if (input.length > 0 || history.length !== calls.length || answers.size !== calls.length) return null;
  const given = calls.map((id) => [id, answers.get(id) ?? null] as const);
  const whole = given.filter((each): each is [string, DynamicToolCallResponse] => each[1] !== null);
  return whole.length === calls.length ? new Map(whole) : null;
}

/** Lets go of a thread that no request will take. */
export async function leaveThread(
  client: AppServerClient,
  { threadId, paused }: ReadyThread,
  sandboxMode: ThreadSettings['sandboxMode'],
): Promise<void> {
  using _turn = paused;
  if (client.over.aborted) return;
  if (paused !== null) await interrupt(client, { threadId, ...paused });
  await letGoOf(client, threadId, sandboxMode);
}

async function beginTurn(client: AppServerClient, threadId: string, run: TurnRun): Promise<PausedTurn> {
  const { spec, signal, listener } = run;
  const paused = run.ready?.paused ?? null;
  if (paused !== null) {
    paused.watch.goOn(answersFor(paused, spec) ?? new Map(), listener);
    return paused;
  }
  using opening = new DisposableStack();
  const watch = opening.use(
    new TurnWatch({
      listener,
      tools: new Set(spec.tools.map(({ name }) => name)),
      history: spec.history,
      parallelTools: spec.parallelTools,
      hopeless: run.hopeless,
      lastMessageOnly: spec.outputSchema !== null && run.settings.sandboxMode !== 'read-only',
    }),
  );
  opening.use(client.listen(threadId, watch));
  if (spec.history.length > 0)
    await client.call('thread/inject_items', { threadId, items: [...spec.history] });
  signal.throwIfAborted();
  const { turn } = await client.call('turn/start', {
    threadId,
    input: [...spec.input],
    // Resumed and forked threads would have theirs again.
    ...noEnvironment(run.settings),
    ...(isLoadedOpenly(run) ? { permissions: threadProfile } : {}),
    ...(spec.effort === null ? {} : { effort: spec.effort }),
    ...(spec.summary === null ? {} : { summary: spec.summary }),
    ...(spec.outputSchema === null ? {} : { outputSchema: spec.outputSchema }),
  });
  const held = opening.move();
  return {
    turnId: turn.id,
    watch,
    [Symbol.dispose]: () => {
      held.dispose();
    },
  };
}

async function letGoOf(
  client: AppServerClient,
  threadId: string,
  sandboxMode: ThreadSettings['sandboxMode'],
): Promise<void> {
  try {
    await letGo(client, threadId, sandboxMode);
  } catch (error) {
    // A process that is gone holds nothing.
    if (!client.over.aborted) throw error;
  }
}

async function letGo(
  client: AppServerClient,
  threadId: string,
  sandboxMode: ThreadSettings['sandboxMode'],
): Promise<void> {
  if (sandboxMode !== 'read-only') await client.call('thread/backgroundTerminals/clean', { threadId });
  await client.release(threadId);
}

interface RunningTurn {
  readonly threadId: string;
  readonly turnId: string;
  readonly watch: TurnWatch;
}

type EndedTurn = Omit<RanTurn, 'left'>;

async function endOf(
  client: AppServerClient,
  running: RunningTurn & { readonly isHeld: boolean },
  signal: AbortSignal,
): Promise<EndedTurn> {
  const { threadId, turnId, watch, isHeld } = running;
  const over = await orAborted(watch.over, signal).catch(async (error: unknown) => {
    if (!client.over.aborted) await interrupt(client, running);
    throw error;
  });
  const ended = (reason: EndedTurn['reason'], failed: Turn['error'] = null): EndedTurn => {
    const { usage, thoughts } = watch;
    return { reason, usage, thoughts, threadId, turnId, failed };
  };
  if (over !== null && over !== 'aborted') return ended('completed', over.error);
  if (over === null && isHeld && watch.calls !== null) return ended('tool_calls');
  await interrupt(client, running);
  if (over === null) return ended('tool_calls');
  if (signal.reason !== enough) throw signal.reason;
  return ended('stopped');
}

async function interrupt(client: AppServerClient, { threadId, turnId, watch }: RunningTurn): Promise<void> {
  const asked = client.call('turn/interrupt', { threadId, turnId }).catch((error: unknown) => {
    // The turn may have ended by itself at the same moment.
    if (!isRefusal(error)) throw error;
  });
  await within(Promise.all([asked, watch.ended]), interruptLimitMs, stuck);
}

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | 'aborted'> {
  if (signal.aborted) return 'aborted';
  const aborted = deferred<'aborted'>();
  const onAbort = (): void => {
    aborted.resolve('aborted');
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function stuck(): AppError {
  return new AppError(
    'infrastructure',
    'agent_unresponsive',
    'Codex did not end a turn that was interrupted.',
  );
}
