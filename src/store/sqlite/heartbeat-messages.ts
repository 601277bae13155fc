import type { Lease } from '../../domain/job.ts';

/** What the heartbeat thread is started with. */
export interface HeartbeatData {
  readonly dbPath: string;
  readonly workerId: string;
  readonly leaseMs: number;
  readonly hungAfterMs: number;
  /** Shared: the main thread adds one while it lives. */
  readonly turns: Int32Array;
}

export type ToThread =
  | { readonly type: 'keep'; readonly leases: readonly Lease[] }
  | { readonly type: 'release'; readonly keys: readonly string[] }
  | { readonly type: 'close' };

/** What a heartbeat found; leases by `leaseKey`. */
export interface FromThread {
  readonly lost: readonly string[];
  readonly cancelled: readonly string[];
  /** The worker's row is gone. */
  readonly forgotten: boolean;
}

export function leaseKey(jobId: string, attempt: number): string {
  return `${jobId} ${attempt}`;
}
