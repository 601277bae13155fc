import type { Logger } from '../../domain/logger.ts';
import type { AgentThreadRequest, AgentTurnResult } from '../driver.ts';
import type { ThreadSurroundings } from '../thread-config.ts';
import { noUsage } from '../turn-usage.ts';
import type { AppServerClient } from './app-server-client.ts';
import { openThread } from './open-thread.ts';
import { runTurn } from './run-turn.ts';
import { ThreadWatch } from './thread-watch.ts';

interface Surroundings extends ThreadSurroundings {
  readonly logger: Logger;
}

/** One turn of one thread in this app-server: opened, run, cleaned up after and let go of, however it ends. */
export async function runThreadIn(
  client: AppServerClient,
  request: AgentThreadRequest,
  surroundings: Surroundings,
): Promise<AgentTurnResult> {
  const thread = await openThread(client, request, surroundings);
  const { workspaceDir, signal } = request;
  using watch = new ThreadWatch({
    workspaceDir,
    onEvent: (event) => {
      request.onEvent(event);
    },
  });
  using _listening = client.listen(thread.threadId, watch);
  try {
    await request.onThread(thread);
    if (signal.aborted) {
      return { ...thread, status: 'interrupted', finalMessage: null, usage: noUsage, error: null };
    }
    return await runTurn(client, { ...thread, watch }, request);
  } finally {
    await letGo(client, thread.threadId, surroundings.logger);
  }
}

/** Ends what the thread left running and unloads it. What fails here changes nothing about the turn: the processes are looked for afterwards. */
async function letGo(client: AppServerClient, threadId: string, logger: Logger): Promise<void> {
  if (client.over.aborted) return;
  try {
    await client.call('thread/backgroundTerminals/clean', { threadId });
    await client.release(threadId);
  } catch (error) {
    logger.warn({ error, threadId }, 'a thread could not be cleaned up in its app-server');
  }
}
