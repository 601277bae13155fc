import type { Config } from '../config/settings.ts';
import type { Logger } from '../domain/logger.ts';
import type { Store } from '../domain/store.ts';
import { superviseWorker } from '../launcher/attached-worker.ts';
import { workerCommand } from '../launcher/direct/worker-command.ts';
import { processSource } from '../supervisor/child-source.ts';
import { reap } from './reap.ts';
import { leaveMs } from './workers/leave-ms.ts';
import type { LaunchSurroundings } from './workers/launch-surroundings.ts';

export interface WorkerProcessOptions {
  readonly config: Config;
  readonly store: Store;
  readonly logger: Logger;
  readonly surroundings: LaunchSurroundings;
}

/**
 * Keeps one `capstan worker` alive as a child of this process, and puts its jobs back into the queue the moment that it dies.
 * Disposing it lets the worker drain. The worker leaves by itself when this process dies: its stdin ends.
 */
export function startWorkerProcess(options: WorkerProcessOptions): AsyncDisposable {
  const { config, store, logger, surroundings } = options;
  const spec = {
    name: 'capstan-serve',
    type: 'codex',
    buildId: null,
    lifetime: 'attached',
    image: null,
  } as const;
  const supervisor = superviseWorker({
    source: processSource({
      ...workerCommand(surroundings.program, spec, surroundings.settings),
      env: surroundings.env,
      cwd: surroundings.cwd,
    }),
    onLogLine: surroundings.onLogLine,
    startLimitMs: config.workers.startTimeoutMs,
    leaveMs: config.worker.drainGraceMs + leaveMs,
    logger,
    onExit: () => {
      reap({ store, logger, dataDir: config.dataDir }).catch((error: unknown) => {
        logger.warn({ err: error }, 'Could not take the jobs of the worker back');
      });
    },
  });
  supervisor.start();
  return supervisor;
}
