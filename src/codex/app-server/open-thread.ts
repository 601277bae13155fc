import { AppError } from '../../runtime/app-error.ts';
import { pause } from '../../runtime/wait.ts';
import type { AgentThreadRequest, StartedThread } from '../driver.ts';
import { threadConfig, type ThreadSurroundings } from '../thread-config.ts';
import type { JsonValue } from '../protocol/generated/serde_json/JsonValue.ts';
import type { AppServerClient } from './app-server-client.ts';

/** How long an old process may take to let go of a thread that is to be resumed. */
const writerLimitMs = 10_000;
const writerPauseMs = 100;

/**
 * Starts the request's thread or resumes the one it names, isolated the same way in both cases.
 * Rejects with `thread_not_resumable` where Codex will not resume it; `thread_refused` where it will not start one.
 */
export async function openThread(
  client: AppServerClient,
  request: AgentThreadRequest,
  surroundings: ThreadSurroundings,
): Promise<StartedThread> {
  const common = {
    cwd: request.workspaceDir,
    model: request.model,
    approvalPolicy: 'never' as const,
    config: threadConfig(request, surroundings) as Record<string, JsonValue>,
    ...(request.developerInstructions === undefined
      ? {}
      : { developerInstructions: request.developerInstructions }),
  };
  const { resume, signal } = request;
  if (resume === null) {
    // Its environment comes with the turn: Codex looks for skills in each that it is given, which takes a whole sandbox where a folder is denied.
    const { thread } = await client
      .call('thread/start', { ...common, environments: [] })
      .catch((error: unknown) => {
        throw refusedAs('thread_refused', error);
      });
    return { threadId: thread.id, rolloutPath: thread.path, resumed: false };
  }
  const params = { ...common, threadId: resume.threadId, excludeTurns: true };
  const deadline = performance.now() + writerLimitMs;
  await client.whenUnloaded(resume.threadId, writerLimitMs, signal);
  for (;;) {
    signal.throwIfAborted();
    try {
      const { thread } = await client.call('thread/resume', params);
      return { threadId: thread.id, rolloutPath: thread.path, resumed: true };
    } catch (error) {
      if (!isWriterAlive(error) || performance.now() > deadline)
        throw refusedAs('thread_not_resumable', error);
      await pause(writerPauseMs, signal);
    }
  }
}

/** A process that is on its way out may still write the thread's rollout file. */
function isWriterAlive(error: unknown): boolean {
  return error instanceof AppError && error.code === 'rpc_error' && error.message.includes('active writer');
}

/** An answer that says no gets its own code; a process that is gone or does not answer keeps its own. */
function refusedAs(code: string, error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'rpc_error') return error;
  return new AppError('infrastructure', code, error.message, { cause: error });
}
