import { hostname } from 'node:os';
import type { Logger } from '../domain/logger.ts';
import type { Store } from '../domain/store.ts';
import { isAlive } from '../runtime/process-identity.ts';

/**
 * Puts the jobs of the dead back into the queue: those of workers on this host whose process is gone, at once, and those whose lease ran out.
 * Safe to run anywhere at any time, also by several at once.
 */
export async function reap(store: Store, logger: Logger): Promise<void> {
  for (const worker of await store.listWorkers()) {
    if (worker.process.host !== hostname() || isAlive(worker.process)) continue;
    const jobs = await store.removeWorker(worker.id);
    logger.warn(
      { workerId: worker.id, pid: worker.process.pid, jobs },
      'A worker died; its jobs are back in the queue',
    );
  }
  const expired = await store.reapExpired();
  if (expired.length > 0) logger.warn({ jobs: expired }, 'Leases ran out; the jobs are back in the queue');
}
