import type { AppServerClient } from '../codex/app-server/app-server-client.ts';
import type { JsonValue } from '../codex/protocol/generated/serde_json/JsonValue.ts';
import { AppError } from '../runtime/app-error.ts';
import { baseInstructions, gatewayThreadConfig, type ThreadSettings } from './thread-settings.ts';
import type { TurnSpec } from './turn.ts';

/** How long a thread of the request before may take to leave the process's memory. */
const unloadLimitMs = 10_000;

export interface ThreadOpening {
  readonly spec: TurnSpec;
  readonly settings: ThreadSettings;
  readonly signal: AbortSignal;
}

/** Starts, resumes or forks the thread of a turn. */
export async function openThread(
  client: AppServerClient,
  { spec, settings, signal }: ThreadOpening,
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
    ephemeral: plan.kind !== 'kept',
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
export function isLoadedOpenly({ spec, settings }: Pick<ThreadOpening, 'spec' | 'settings'>): boolean {
  const { kind } = spec.thread;
  return settings.sandboxMode === 'read-only' && (kind === 'continued' || kind === 'forked');
}

/** Without an environment there is nothing to run a command in and no file to read. */
export function noEnvironment({ sandboxMode }: ThreadSettings): { readonly environments?: [] } {
  return sandboxMode === 'read-only' ? { environments: [] } : {};
}

/** Whether Codex has refused what it was asked, and goes on. */
export function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.code === 'rpc_error';
}

export function threadGone(cause: unknown): AppError {
  return new AppError('infrastructure', 'thread_gone', 'Codex does not have the thread any more.', { cause });
}
