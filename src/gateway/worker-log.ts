import type { Logger } from '../domain/logger.ts';
import type { SupervisorEvent } from '../supervisor/supervisor-options.ts';

/** Failed lives in a row from which on it is a crash loop. */
const crashLoopFrom = 3;

/** Writes what happens to the child as structured lines, and a warning when it keeps dying. */
export function workerLog(logger: Logger): (event: SupervisorEvent) => void {
  let failures = 0;
  return (event) => {
    switch (event.type) {
      case 'worker_launch':
        logger.info({ event: event.type, attempt: event.attempt }, 'The app-server is started');
        return;
      case 'worker_spawned':
        logger.info({ event: event.type, worker_pid: event.pid }, 'The app-server has a process');
        return;
      case 'worker_ready': {
        const facts = { worker_pid: event.pid, startup_latency_ms: event.startupLatencyMs };
        logger.info({ event: event.type, ...facts }, 'The app-server is ready');
        return;
      }
      case 'worker_exit': {
        const { code, signal, error, pid } = event;
        failures += 1;
        const facts = { event: event.type, worker_pid: pid, code, signal, error };
        if (code === 0 && error === null) logger.info(facts, 'The app-server has ended');
        else logger.warn(facts, 'The app-server has ended');
        return;
      }
      case 'worker_restart_scheduled': {
        const { delayMs, attempt } = event;
        // The first of a row is tried again at once.
        if (delayMs === 0) failures = 1;
        logger.warn({ event: event.type, delay: delayMs, attempt }, 'The app-server will be started again');
        if (delayMs > 0 && failures >= crashLoopFrom)
          logger.warn(
            { event: 'worker_crash_loop', exits: failures },
            'The app-server keeps ending: it is in a crash loop',
          );
        return;
      }
      case 'worker_restart_limit': {
        const { restarts, retryInMs } = event;
        logger.error(
          { event: event.type, restarts, retry_in_ms: retryInMs },
          'The app-server was started too often; the gateway waits',
        );
        return;
      }
      case 'shutdown_initiated':
        // The gateway has said it for itself and its child.
        return;
      case 'shutdown_grace_exceeded': {
        const facts = { worker_pid: event.pid, grace_ms: event.graceMs };
        logger.warn({ event: event.type, ...facts }, 'The app-server did not end in time');
        return;
      }
    }
  };
}
