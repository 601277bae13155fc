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

/** The child as /healthz and errors show it, with the same fields where there is none; times are ISO, durations milliseconds. */
export function workerStatus({ worker, isDraining }: ReadinessFacts): Readonly<Record<string, unknown>> {
  const lastExit = worker?.lastExit ?? null;
  const readyAtMs = worker?.lastReadyAtMs ?? null;
  const startupLatencyMs = worker?.startupLatencyMs ?? null;
  const restartsTotal = worker?.restartsTotal ?? 0;
  return {
    enabled: worker !== null,
    running: worker?.running ?? false,
    ready: (worker?.ready ?? false) && !isDraining,
    shutdown_in_flight: isDraining || worker?.reason === 'shutdown_in_progress',
    pid: worker?.pid ?? null,
    restarts_total: restartsTotal,
    consecutive_failures: worker?.consecutiveFailures ?? 0,
    last_exit:
      lastExit === null
        ? null
        : { at: toIso(lastExit.atMs), code: lastExit.code, signal: lastExit.signal, error: lastExit.error },
    last_ready_at: readyAtMs === null ? null : toIso(readyAtMs),
    startup_latency_ms: startupLatencyMs,
    next_restart_delay_ms: worker?.nextRestartDelayMs ?? null,
    metrics: {
      codex_worker_restarts_total: restartsTotal,
      codex_worker_latency_ms: startupLatencyMs,
    },
  };
}
