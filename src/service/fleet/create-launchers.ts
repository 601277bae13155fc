import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionMode, Launcher } from '../../domain/launcher.ts';
import { createDirectLauncher } from '../../launcher/direct/direct-launcher.ts';
import { createDockerLauncher } from '../../launcher/docker/docker-launcher.ts';
import type { Capstan } from '../open-capstan.ts';
import { reap } from '../workers/reap.ts';
import type { LaunchSurroundings } from './launch-surroundings.ts';
import { leaveMs } from '../workers/leave-ms.ts';
import { typeNeeds } from './type-needs.ts';

/** Launchers by mode, each made when it is first asked for; disposing it disposes them. */
export interface Launchers extends AsyncDisposable {
  get(mode: ExecutionMode): Launcher;
}

export function createLaunchers(capstan: Capstan, surroundings: LaunchSurroundings): Launchers {
  const { config, store, logger, profile, containers } = capstan;
  const made = new Map<ExecutionMode, Launcher>();
  const common = {
    registered: () => store.listWorkers(),
    leaveMs: config.worker.drainGraceMs + leaveMs,
    logger,
    onExit: () => {
      reap({ ...capstan, dataDir: config.dataDir }).catch((error: unknown) => {
        logger.warn({ err: error }, 'Could not take the jobs of a worker back');
      });
    },
  };

  function create(mode: ExecutionMode): Launcher {
    if (mode === 'docker') {
      return createDockerLauncher({
        ...common,
        ...surroundings,
        onNotice: surroundings.onNotice ?? (() => undefined),
        connect: () => containers.engine(),
        config,
        platform: process.platform,
        owner: ownerOf(config.dataDir),
        needsOf: (type) => typeNeeds(type, config, profile),
      });
    }
    return createDirectLauncher({
      ...common,
      ...surroundings,
      logDir: join(config.dataDir, 'logs'),
      startRetries: config.workers.startRetries,
      startLimitMs: config.workers.startTimeoutMs,
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

/** `uid:gid`, so that what a container writes keeps its owner; null on Windows, where files have none such. */
function ownerOf(folder: string): string | null {
  if (process.platform === 'win32') return null;
  const { uid, gid } = statSync(folder);
  return `${uid}:${gid}`;
}
