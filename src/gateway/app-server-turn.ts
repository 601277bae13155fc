import type { AppServerClient } from '../codex/app-server/app-server-client.ts';
import type { JsonValue } from '../codex/protocol/generated/serde_json/JsonValue.ts';
import type { Turn } from '../codex/protocol/generated/v2/Turn.ts';
import { AppError } from '../runtime/app-error.ts';
import { deferred, within } from '../runtime/wait.ts';
import {
  baseInstructions,
  gatewayThreadConfig,
  threadProfile,
  type ThreadSettings,
} from './thread-settings.ts';
import { TurnWatch } from './turn-watch.ts';
import { enough, textOf, type TurnEnd, type TurnListener, type TurnSpec } from './turn.ts';

/** How long Codex may take to end a turn that was interrupted. */
const interruptLimitMs = 10_000;
/** How long a thread of the request before may take to leave the process's memory. */
const unloadLimitMs = 10_000;

export interface TurnRun {
  readonly spec: TurnSpec;
  readonly settings: ThreadSettings;
  readonly listener: TurnListener;
  readonly signal: AbortSignal;
  /** Why going on is pointless after an error that Codex would try to overcome; null where it may be overcome. */
  readonly hopeless: (error: { readonly message: string; readonly info: unknown }) => AppError | null;
  /** A thread that was started for such a turn before. */
  readonly startedThreadId?: string | undefined;
  /** Told which thread it is, as soon as there is one. */
  readonly onThread?: (threadId: string) => void;
  /** Takes over letting go of the thread; without it the turn has ended only after that. */
  readonly background?: (work: Promise<void>) => void;
}

export type RanTurn = TurnEnd & { readonly failed: Turn['error'] };

/**
 * Runs one turn in the app-server and lets go of its thread, however it ends. Rejects with the client's errors, `thread_gone`, or the
 * signal's reason once the turn is interrupted.
 */
export async function runAppServerTurn(client: AppServerClient, run: TurnRun): Promise<RanTurn> {
  const { spec, signal, listener } = run;
  const threadId = run.startedThreadId ?? (await openThread(client, run));
  run.onThread?.(threadId);
  try {
    signal.throwIfAborted();
    using watch = new TurnWatch({
      listener,
      tools: new Set(spec.tools.map(({ name }) => name)),
      knownCalls: new Set(spec.history.map((item) => textOf(item, 'call_id'))),
      parallelTools: spec.parallelTools,
      hopeless: run.hopeless,
      lastMessageOnly: spec.outputSchema !== null && run.settings.sandboxMode !== 'read-only',
    });
    using _listening = client.listen(threadId, watch);
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
    return await endOf(client, { threadId, turnId: turn.id, watch }, signal);
  } finally {
    const left = letGo(client, threadId, run.settings.sandboxMode).catch((error: unknown) => {
      // A process that is gone holds nothing.
      if (!client.over.aborted) throw error;
    });
    if (run.background === undefined) await left;
    else run.background(left);
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

/** Starts, resumes or forks the thread of a turn. */
export async function openThread(
  client: AppServerClient,
  { spec, settings, signal }: Pick<TurnRun, 'spec' | 'settings' | 'signal'>,
): Promise<string> {
  const { thread: plan } = spec;
  const config = {
    ...gatewayThreadConfig(settings),
    ...(isLoadedOpenly({ spec, settings }) ? { default_permissions: ':read-only' } : {}),
  } as Record<string, JsonValue>;
  const common = {
    cwd: settings.folder,
    model: spec.model,
    approvalPolicy: 'never' as const,
    baseInstructions,
    config,
  };
  if (plan.kind === 'continued' || plan.kind === 'forked') {
    try {
      if (plan.kind === 'continued') {
        await client.whenUnloaded(plan.threadId, unloadLimitMs, signal);
        const resumed = await client.call('thread/resume', {
          ...common,
          threadId: plan.threadId,
          excludeTurns: true,
        });
        return resumed.thread.id;
      }
      const forked = await client.call('thread/fork', {
        ...common,
        threadId: plan.threadId,
        lastTurnId: plan.turnId,
        excludeTurns: true,
      });
      return forked.thread.id;
    } catch (error) {
      throw isRefusal(error) ? threadGone(error) : error;
    }
  }
  const { thread } = await client.call('thread/start', {
    ...common,
    ephemeral: plan.kind === 'ephemeral',
    ...noEnvironment(settings),
    ...(spec.tools.length === 0
      ? {}
      : {
          experimentalRawEvents: true,
          dynamicTools: spec.tools.map(({ name, description, parameters }) => ({
            type: 'function' as const,
            name,
            description,
            inputSchema: parameters,
          })),
        }),
  });
  return thread.id;
}

/**
 * A thread that is resumed or forked cannot be told to do without an environment until its turn comes, and Codex looks for instructions in
 * it when it is loaded: through a sandbox where it may not read everything, which takes four times as long. Nothing else happens before its turn, which has
 * the thread's own profile, and no environment.
 */
function isLoadedOpenly({ spec, settings }: Pick<TurnRun, 'spec' | 'settings'>): boolean {
  const { kind } = spec.thread;
  return settings.sandboxMode === 'read-only' && (kind === 'continued' || kind === 'forked');
}

/** Without an environment there is nothing to run a command in and no file to read. */
function noEnvironment({ sandboxMode }: ThreadSettings): { readonly environments?: [] } {
  return sandboxMode === 'read-only' ? { environments: [] } : {};
}

interface RunningTurn {
  readonly threadId: string;
  readonly turnId: string;
  readonly watch: TurnWatch;
}

async function endOf(
  client: AppServerClient,
  { threadId, turnId, watch }: RunningTurn,
  signal: AbortSignal,
): Promise<RanTurn> {
  const interrupt = async (): Promise<void> => {
    const asked = client.call('turn/interrupt', { threadId, turnId }).catch((error: unknown) => {
      // The turn may have ended by itself at the same moment.
      if (!isRefusal(error)) throw error;
    });
    await within(Promise.all([asked, watch.ended]), interruptLimitMs, stuck);
  };
  const over = await orAborted(watch.over, signal).catch(async (error: unknown) => {
    if (!client.over.aborted) await interrupt();
    throw error;
  });
  if (over !== null && over !== 'aborted') {
    return { reason: 'completed', usage: watch.usage, threadId, turnId, failed: over.error };
  }
  await interrupt();
  if (over === null) return { reason: 'tool_calls', usage: watch.usage, threadId, turnId, failed: null };
  if (signal.reason !== enough) throw signal.reason;
  return { reason: 'stopped', usage: watch.usage, threadId, turnId, failed: null };
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

function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.code === 'rpc_error';
}

function threadGone(cause: unknown): AppError {
  return new AppError('infrastructure', 'thread_gone', 'Codex does not have the thread any more.', { cause });
}

function stuck(): AppError {
  return new AppError(
    'infrastructure',
    'agent_unresponsive',
    'Codex did not end a turn that was interrupted.',
  );
}
