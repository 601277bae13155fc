import { join } from 'node:path';
import type { ExecutionMode, Launcher } from '../../domain/launcher.ts';
import { createDirectLauncher } from '../../launcher/direct/direct-launcher.ts';
import { AppError } from '../../runtime/app-error.ts';
import type { Capstan } from '../open-capstan.ts';
import { reap } from '../reap.ts';
import type { LaunchSurroundings } from './launch-surroundings.ts';
import { leaveMs } from './leave-ms.ts';

/** Launchers by mode, each made when it is first asked for; disposing it disposes them. */
export interface Launchers extends AsyncDisposable {
  get(mode: ExecutionMode): Launcher;
}

export function createLaunchers(capstan: Capstan, surroundings: LaunchSurroundings): Launchers {
  const { config, store, logger } = capstan;
  const made = new Map<ExecutionMode, Launcher>();

  function create(mode: ExecutionMode): Launcher {
    if (mode === 'docker') {
      throw new AppError(
        'configuration',
        'docker_not_supported',
        'Workers in containers are not supported yet.',
        {
          hint: 'Use --workers=direct.',
        },
      );
    }
    return createDirectLauncher({
      ...surroundings,
      logDir: join(config.dataDir, 'logs'),
      registered: () => store.listWorkers(),
      startRetries: config.workers.startRetries,
      startLimitMs: config.workers.startTimeoutMs,
      leaveMs: config.worker.drainGraceMs + leaveMs,
      logger,
      onExit: () => {
        reap({ store, logger, dataDir: config.dataDir }).catch((error: unknown) => {
          logger.warn({ err: error }, 'Could not take the jobs of a worker back');
        });
      },
    });
  }

  return {
    get(mode) {
      const launcher = made.get(mode) ?? create(mode);
      made.set(mode, launcher);
      return launcher;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...made.values()].map((launcher) => launcher[Symbol.asyncDispose]()));
    },
  };
}
