import type { JobEventBody } from '../contract/event.ts';
import type { Checkpoint, Lease } from '../domain/job.ts';
import type { JobSource } from '../domain/job-source.ts';
import type { ProgressReport } from '../domain/store.ts';
import { AppError } from '../runtime/app-error.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { deferred, pause, type Deferred } from '../runtime/wait.ts';

/** Past this many waiting events the deltas among them go first: the whole message follows them anyway. */
const maxPending = 2_000;
const maxBatch = 200;
/** Made once: the reason that `abort` makes by itself costs a stack trace for every attempt. */
const closedReason = new AppError('infrastructure', 'reporter_closed', 'The attempt has ended.');
const retryBackoff = { initialMs: 50, maxMs: 2_000, jitter: 0.3 };

interface Saving {
  readonly checkpoint: Checkpoint;
  readonly saved: Deferred<void>;
}

/** Who hears that reports cannot be stored, and that they can again. */
export interface ReportTrouble {
  failed(error: unknown): void;
  stored(): void;
}
const silent: ReportTrouble = { failed: () => undefined, stored: () => undefined };

/** When disposed it takes nothing more, and what cannot be sent at once is dropped. */
export interface ProgressReporter extends Disposable {
  emit(event: JobEventBody): void;
  /** Resolves when stored; rejects with `lease_lost` where the fence is old, or when closed before. */
  saveCheckpoint(checkpoint: Checkpoint): Promise<void>;
  /** Resolves when all that was emitted is stored, or can no longer be. */
  flush(): Promise<void>;
  /** Aborts with `lease_lost` when a report was refused. */
  readonly signal: AbortSignal;
}

/** Carries one attempt's events to the source in order: one report at a time, each with all that came meanwhile. */
export function createProgressReporter(
  source: JobSource,
  lease: Lease,
  told: ReportTrouble = silent,
): ProgressReporter {
  const refused = new AbortController();
  const closed = new AbortController();
  let pending: JobEventBody[] = [];
  let saving: Saving | null = null;
  let sending: Promise<void> | null = null;

  const lost = (): AppError =>
    new AppError(
      'lost',
      'lease_lost',
      `Job ${lease.jobId} is no longer this worker's (attempt ${lease.attempt}).`,
    );

  async function deliver(report: ProgressReport): Promise<boolean> {
    for (let failures = 0; ;) {
      try {
        const accepted = await source.report(lease, report);
        if (failures > 0) told.stored();
        return accepted;
      } catch (error) {
        failures += 1;
        told.failed(error);
        if (closed.signal.aborted) throw error;
        await pause(backoffMs(failures, retryBackoff, Math.random()), closed.signal);
      }
    }
  }

  async function send(): Promise<void> {
    while (pending.length > 0 || saving !== null) {
      const events = pending.splice(0, maxBatch);
      const save: Saving | null = saving;
      saving = null;
      try {
        const accepted = await deliver({ events, ...(save === null ? {} : { checkpoint: save.checkpoint }) });
        if (!accepted) throw lost();
        save?.saved.resolve();
      } catch (error) {
        save?.saved.reject(error);
        pending = [];
        refused.abort(error);
        return;
      }
    }
  }

  function kick(): void {
    if (refused.signal.aborted) return;
    sending ??= send().finally(() => {
      sending = null;
      if (pending.length > 0 || saving !== null) kick();
    });
  }

  return {
    signal: refused.signal,
    emit(event) {
      if (refused.signal.aborted || closed.signal.aborted) return;
      if (pending.length >= maxPending)
        pending = pending.filter(({ type }) => type !== 'agent.message.delta');
      if (pending.length >= maxPending) return;
      pending.push(event);
      kick();
    },
    async saveCheckpoint(checkpoint) {
      if (refused.signal.aborted || closed.signal.aborted) throw lost();
      const saved = saving?.saved ?? deferred<void>();
      saving = { checkpoint, saved };
      kick();
      await saved.promise;
    },
    async flush() {
      while (sending !== null) await sending;
    },
    [Symbol.dispose]() {
      closed.abort(closedReason);
    },
  };
}
