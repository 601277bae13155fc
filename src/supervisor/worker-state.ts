/** Where the supervised child stands; also the reason that readiness gives. */
export const workerStates = [
  'worker_not_started',
  'worker_starting',
  'handshake_pending',
  'handshake_failed',
  'ready',
  'worker_exit',
  'worker_restarting',
  'restart_limit_exceeded',
  'shutdown_in_progress',
] as const;
export type WorkerState = (typeof workerStates)[number];

export const workerEvents = [
  'start',
  'spawned',
  'handshake_ok',
  'handshake_failed',
  'exited',
  'restart_scheduled',
  'limit_reached',
  'restart',
  'stop',
] as const;
export type WorkerEvent = (typeof workerEvents)[number];

type Steps = Partial<Readonly<Record<WorkerEvent, WorkerState>>>;

const stop: Steps = { stop: 'shutdown_in_progress' };

/**
 * Every allowed step. A failed handshake stays visible as the reason while its restart waits; `worker_restarting` covers the wait
 * after an exit and every launch but the first. There is no way out of `shutdown_in_progress`.
 */
const transitions: Readonly<Record<WorkerState, Steps>> = {
  worker_not_started: { ...stop, start: 'worker_starting' },
  worker_starting: { ...stop, spawned: 'handshake_pending', exited: 'worker_exit' },
  handshake_pending: {
    ...stop,
    handshake_ok: 'ready',
    handshake_failed: 'handshake_failed',
    exited: 'worker_exit',
  },
  handshake_failed: {
    ...stop,
    restart_scheduled: 'handshake_failed',
    limit_reached: 'restart_limit_exceeded',
    restart: 'worker_restarting',
  },
  ready: { ...stop, exited: 'worker_exit', restart: 'worker_restarting' },
  worker_exit: {
    ...stop,
    restart_scheduled: 'worker_restarting',
    limit_reached: 'restart_limit_exceeded',
  },
  worker_restarting: {
    ...stop,
    restart: 'worker_restarting',
    spawned: 'handshake_pending',
    exited: 'worker_exit',
  },
  restart_limit_exceeded: { ...stop, restart: 'worker_restarting' },
  shutdown_in_progress: { ...stop },
};

/** The state after `event`, or null where the step is not allowed. */
export function nextWorkerState(state: WorkerState, event: WorkerEvent): WorkerState | null {
  return transitions[state][event] ?? null;
}
