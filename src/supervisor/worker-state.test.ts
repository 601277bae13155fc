import { expect, test } from 'vitest';
import { nextWorkerState, workerEvents, workerStates, type WorkerState } from './worker-state.ts';

test('every pair of state and event has its one outcome', () => {
  const table = workerStates.map((state) => {
    const steps = workerEvents.map((event) => `${event} → ${nextWorkerState(state, event) ?? '-'}`);
    return `${state}: ${steps.join(', ')}`;
  });
  expect(table).toEqual([
    'worker_not_started: start → worker_starting, spawned → -, handshake_ok → -, handshake_failed → -, exited → -, restart_scheduled → -, limit_reached → -, restart → -, stop → shutdown_in_progress',
    'worker_starting: start → -, spawned → handshake_pending, handshake_ok → -, handshake_failed → -, exited → worker_exit, restart_scheduled → -, limit_reached → -, restart → -, stop → shutdown_in_progress',
    'handshake_pending: start → -, spawned → -, handshake_ok → ready, handshake_failed → handshake_failed, exited → worker_exit, restart_scheduled → -, limit_reached → -, restart → -, stop → shutdown_in_progress',
    'handshake_failed: start → -, spawned → -, handshake_ok → -, handshake_failed → -, exited → -, restart_scheduled → handshake_failed, limit_reached → restart_limit_exceeded, restart → worker_restarting, stop → shutdown_in_progress',
    'ready: start → -, spawned → -, handshake_ok → -, handshake_failed → -, exited → worker_exit, restart_scheduled → -, limit_reached → -, restart → worker_restarting, stop → shutdown_in_progress',
    'worker_exit: start → -, spawned → -, handshake_ok → -, handshake_failed → -, exited → -, restart_scheduled → worker_restarting, limit_reached → restart_limit_exceeded, restart → -, stop → shutdown_in_progress',
    'worker_restarting: start → -, spawned → handshake_pending, handshake_ok → -, handshake_failed → -, exited → worker_exit, restart_scheduled → -, limit_reached → -, restart → worker_restarting, stop → shutdown_in_progress',
    'restart_limit_exceeded: start → -, spawned → -, handshake_ok → -, handshake_failed → -, exited → -, restart_scheduled → -, limit_reached → -, restart → worker_restarting, stop → shutdown_in_progress',
    'shutdown_in_progress: start → -, spawned → -, handshake_ok → -, handshake_failed → -, exited → -, restart_scheduled → -, limit_reached → -, restart → -, stop → shutdown_in_progress',
  ]);
});

test('every state can be reached, and stopped from', () => {
  const reached = new Set<WorkerState>(['worker_not_started']);
  for (const state of reached) {
    for (const event of workerEvents) {
      const next = nextWorkerState(state, event);
      if (next !== null) reached.add(next);
    }
    expect(nextWorkerState(state, 'stop')).toBe('shutdown_in_progress');
  }
  expect([...reached].sort()).toEqual([...workerStates].sort());
});
