import type { Logger } from '../domain/logger.ts';
import { AppError } from '../runtime/app-error.ts';
import type { ChildSource } from '../supervisor/child-source.ts';
import { supervise } from '../supervisor/supervisor.ts';
import type { Supervisor } from '../supervisor/supervisor-options.ts';
import { handSecrets, hasSecrets, type Secrets } from './hand-secrets.ts';
import { readStart } from './read-start.ts';

export interface AttachedWorkerOptions {
  /** How the worker is started: as a process, or in a container. */
  readonly source: ChildSource;
  /** What each life of it is given on its stdin, where it was started with `--secrets`. */
  readonly secrets?: Secrets;
  /** The job type that it takes, for messages. */
  readonly type: string;
  /** How long it may go on after it was told to stop. */
  readonly leaveMs: number;
  readonly startLimitMs: number;
  readonly logger: Logger;
  readonly onLogLine: (line: string) => void;
  /** Told when a life of it has ended without having been told to. */
  readonly onExit: () => void;
  /** Told when one more start has failed, with how many there were in a row. */
  readonly onStartFailed?: (failures: number, why: AppError) => void;
  /** What a start failed with that nothing else explains. Default: `worker_start_failed`. */
  readonly describeFailure?: (message: string, lastLines: readonly string[]) => AppError;
}

/** Of a worker's log, in the error of a start that failed. */
const shownLines = 5;

/**
 * Keeps one `capstan worker` alive as a child of this process; its value is the worker's id. Disposing it lets the worker drain.
 * The worker leaves by itself when this process dies: its stdin ends.
 */
export function superviseWorker(options: AttachedWorkerOptions): Supervisor<string> {
  const { logger } = options;
  let failures = 0;
  let lastLines: readonly string[] = [];
  let stopping = false;
  /** What the worker itself says that it failed with. */
  let told: AppError | null = null;
  const describe =
    options.describeFailure ??
    ((message: string, lines: readonly string[]) => startFailed(options.type, message, lines));
  return supervise<string>(options.source, {
    // Its own children are contained by itself; here it only has to go when this process goes.
    containment: { kind: 'process_group', prefix: [], why: 'The worker holds its own children.' },
    startupTimeoutMs: options.startLimitMs,
    graces: { stdinEndMs: options.leaveMs },
    onStderrLine: (line) => {
      lastLines = [...lastLines, line].slice(-shownLines);
      options.onLogLine(line);
    },
    ready: async (child, signal) => {
      if (hasSecrets(options.secrets ?? {})) handSecrets(child.stdin, options.secrets ?? {});
      const reader = readStart();
      const stop = child.onOutput((chunk) => {
        reader.push(chunk);
      });
      const { promise: over, reject } = Promise.withResolvers<never>();
      const onAbort = (): void => {
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        return await Promise.race([reader.started, over]);
      } catch (error) {
        told = error instanceof AppError && error.kind !== 'infrastructure' ? error : null;
        throw error;
      } finally {
        signal.removeEventListener('abort', onAbort);
        stop();
      }
    },
    onEvent: (event) => {
      const { type, ...facts } = event;
      if (type === 'worker_launch') [lastLines, told] = [[], null];
      if (type === 'worker_ready') failures = 0;
      if (type === 'shutdown_initiated') stopping = true;
      if (type !== 'worker_exit' || stopping) {
        logger.debug({ event: type, ...facts }, 'Worker process');
        return;
      }
      options.onExit();
      logger.warn({ event: type, ...facts }, 'The worker process ended; it is started again');
      if (event.error === null) return;
      failures += 1;
      options.onStartFailed?.(failures, told ?? describe(event.error, lastLines));
    },
  });
}

function startFailed(type: string, message: string, lastLines: readonly string[]): AppError {
  const said = lastLines.join(' ');
  return new AppError('infrastructure', 'worker_start_failed', `A ${type} worker did not start: ${message}`, {
    hint:
      said === ''
        ? 'It said nothing. Where the machine is slow, raise workers.start_timeout.'
        : `It said last: ${said}`,
  });
}
