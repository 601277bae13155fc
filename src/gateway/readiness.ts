import type { SupervisorSnapshot } from '../supervisor/supervisor-options.ts';
import type { WorkerState } from '../supervisor/worker-state.ts';
import { toIso } from '../runtime/clock.ts';

/** Why the gateway takes work or does not: where its worker stands, or that its login is refused. */
export type ReadinessReason = WorkerState | 'auth_required';

export interface ReadinessFacts {
  /** Null where there is no child that stays. */
  readonly worker: SupervisorSnapshot | null;
  readonly isDraining: boolean;
  readonly authRequired: boolean;
}

export function readinessReason({ worker, isDraining, authRequired }: ReadinessFacts): ReadinessReason {
  if (isDraining) return 'shutdown_in_progress';
  if (worker !== null && worker.reason !== 'ready') return worker.reason;
  return authRequired ? 'auth_required' : 'ready';
}

/** The child as /healthz and errors show it; times are ISO, durations milliseconds. */
export function workerStatus({ worker, isDraining }: ReadinessFacts): Readonly<Record<string, unknown>> {
  if (worker === null)
    return { enabled: false, running: false, ready: false, shutdown_in_flight: isDraining };
  const { lastExit } = worker;
  return {
    enabled: true,
    running: worker.running,
    ready: worker.ready && !isDraining,
    shutdown_in_flight: isDraining || worker.reason === 'shutdown_in_progress',
    pid: worker.pid,
    restarts_total: worker.restartsTotal,
    consecutive_failures: worker.consecutiveFailures,
    last_exit:
      lastExit === null
        ? null
        : { at: toIso(lastExit.atMs), code: lastExit.code, signal: lastExit.signal, error: lastExit.error },
    last_ready_at: worker.lastReadyAtMs === null ? null : toIso(worker.lastReadyAtMs),
    startup_latency_ms: worker.startupLatencyMs,
    next_restart_delay_ms: worker.nextRestartDelayMs,
    metrics: {
      codex_worker_restarts_total: worker.restartsTotal,
      codex_worker_latency_ms: worker.startupLatencyMs,
    },
  };
}
