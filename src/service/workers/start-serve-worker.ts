import { superviseWorker } from '../../launcher/attached-worker.ts';
import { workerCommand } from '../../launcher/direct/worker-command.ts';
import type { WorkerSpec } from '../../domain/launcher.ts';
import type { WorkerDemand } from '../../domain/worker-plan.ts';
import { processSource } from '../../supervisor/child-source.ts';
import type { Capstan } from '../open-capstan.ts';
import { reap } from './reap.ts';
import { createLaunchers } from '../fleet/create-launchers.ts';
import { databaseScope } from '../fleet/database-scope.ts';
import { leaveMs } from './leave-ms.ts';
import type { LaunchSurroundings } from '../fleet/launch-surroundings.ts';

export interface ServeWorkerOptions {
  /** Of `codex` workers: whether it is a process or a container. */
  readonly demand: WorkerDemand;
  readonly surroundings: LaunchSurroundings;
}

/**
 * Keeps one worker alive beside this process, and puts its jobs back into the queue the moment that it dies. Disposing it lets the worker
 * drain; where this process dies, the worker leaves by itself: its stdin ends. A process is started in the background; a container is waited
 * for, and rejects with what its start failed with.
 */
export async function startServeWorker(
  capstan: Capstan,
  { demand, surroundings }: ServeWorkerOptions,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const name = 'capstan-serve';
  const spec = { name, type: 'codex', buildId: null, lifetime: 'attached', image: demand.image } as const;
  if (demand.mode === 'direct') return superviseProcess(capstan, surroundings, spec);
  await using opening = new AsyncDisposableStack();
  const launchers = opening.use(createLaunchers(capstan, surroundings));
  const scoped = { ...spec, name: `${name}-${databaseScope(capstan.config.dbPath)}` };
  await launchers.get(demand.mode).launch(scoped, signal);
  return opening.move();
}

function superviseProcess(
  capstan: Capstan,
  { program, settings, env, cwd, onLogLine }: LaunchSurroundings,
  spec: WorkerSpec,
): AsyncDisposable {
  const { config, logger } = capstan;
  const supervisor = superviseWorker({
    type: spec.type,
    source: processSource({ ...workerCommand(program, spec, settings), env, cwd }),
    onLogLine,
    startLimitMs: config.workers.startTimeoutMs,
    leaveMs: config.worker.drainGraceMs + leaveMs,
    logger,
    onExit: () => {
      reap({ ...capstan, dataDir: config.dataDir }).catch((error: unknown) => {
        logger.warn({ err: error }, 'Could not take the jobs of the worker back');
      });
    },
  });
  supervisor.start();
  return supervisor;
}
