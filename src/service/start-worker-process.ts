import { fileURLToPath } from 'node:url';
import type { Config } from '../config/settings.ts';
import type { Logger } from '../domain/logger.ts';
import type { Store } from '../domain/store.ts';
import { createSupervisor } from '../supervisor/supervisor.ts';
import { reap } from './reap.ts';

export interface WorkerProcessOptions {
  readonly config: Config;
  readonly store: Store;
  readonly logger: Logger;
  /** The whole environment of the worker. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Settings that were given on the command line, in its words. */
  readonly args: readonly string[];
  /** Each line of the worker's log. */
  readonly onLogLine: (line: string) => void;
}

const command = fileURLToPath(new URL('../../bin/capstan.js', import.meta.url));
/** Reports, and the agent's processes, are ended within this after the drain's grace. */
const leaveMs = 15_000;

/**
 * Keeps one `capstan worker` alive as a child of this process, and puts its jobs back into the queue the moment that it dies.
 * Disposing it lets the worker drain. The worker leaves by itself when this process dies: its stdin ends.
 */
export function startWorkerProcess(options: WorkerProcessOptions): AsyncDisposable {
  const { config, store, logger } = options;
  let stopping = false;
  const supervisor = createSupervisor(
    {
      command: process.execPath,
      args: [command, 'worker', '--type', 'codex', '--parent-pipe', ...options.args],
      env: options.env,
      cwd: options.cwd,
    },
    {
      // Its own children are contained by itself; here it only has to go when this process goes.
      containment: { kind: 'process_group', prefix: [], why: 'The worker holds its own children.' },
      startupTimeoutMs: 60_000,
      graces: { stdinEndMs: config.worker.drainGraceMs + leaveMs },
      onStderrLine: options.onLogLine,
      ready: async (child, signal) => {
        const ready = Promise.withResolvers<undefined>();
        const stop = child.onOutput((chunk) => {
          if (chunk.includes('worker.ready')) ready.resolve(undefined);
        });
        signal.addEventListener('abort', () => {
          ready.reject(signal.reason);
        });
        try {
          await ready.promise;
        } finally {
          stop();
        }
      },
      onEvent: (event) => {
        const { type, ...facts } = event;
        if (type === 'shutdown_initiated') stopping = true;
        if (type !== 'worker_exit' || stopping) {
          logger.debug({ event: type, ...facts }, 'Worker process');
          return;
        }
        logger.warn({ event: type, ...facts }, 'The worker process ended; it is started again');
        reap({ store, logger, dataDir: config.dataDir }).catch((error: unknown) => {
          logger.warn({ err: error }, 'Could not take the jobs of the worker back');
        });
      },
    },
  );
  supervisor.start();
  return supervisor;
}
