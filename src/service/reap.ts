import { hostname } from 'node:os';
import { join } from 'node:path';
import { endAttempt } from '../codex/end-attempt.ts';
import type { Job } from '../domain/job.ts';
import type { Logger } from '../domain/logger.ts';
import type { Store } from '../domain/store.ts';
import type { WorkerRecord } from '../domain/worker.ts';
import { isAlive } from '../runtime/process-identity.ts';
import { createOutbox } from '../worker/outbox.ts';

export interface ReapDeps {
  readonly store: Store;
  readonly dataDir: string;
  readonly logger: Logger;
}

/** Jobs that run at once in one data folder; what is beyond is found the next time. */
const pageSize = 1_000;

/**
 * Takes over from the dead: delivers the outcomes that they could not, ends what they left running on this host, and puts their jobs back
 * into the queue; likewise the jobs whose lease ran out. Safe to run anywhere at any time, also by several at once.
 * @returns whether a job was taken from anybody
 */
export async function reap(deps: ReapDeps): Promise<boolean> {
  const { store, logger } = deps;
  const outcomes = { finish: store.finishAttempt.bind(store) };
  // First: an outcome of an attempt that has been taken away would be refused.
  await createOutbox(outboxDir(deps.dataDir), outcomes, logger).resend();
  const workers = await store.listWorkers();
  const dead = workers.filter(({ process }) => process.host === hostname() && !isAlive(process));
  const running = await runningJobs(store);
  let taken = 0;
  for (const worker of dead) {
    for (const job of running) if (isHeldBy(job, worker)) await endLeftovers(job, logger);
    const jobs = await store.removeWorker(worker.id);
    taken += jobs.length;
    const { pid } = worker.process;
    logger.warn({ workerId: worker.id, pid, jobs }, 'A worker died; its jobs are back in the queue');
  }
  const expired = await store.reapExpired();
  if (expired.length > 0) logger.warn({ jobs: expired }, 'Leases ran out; the jobs are back in the queue');
  return taken + expired.length > 0;
}

/** Where outcomes wait that could not be delivered. */
export function outboxDir(dataDir: string): string {
  return join(dataDir, 'outbox');
}

async function runningJobs(store: Store): Promise<readonly Job[]> {
  const { items } = await store.listJobs({ states: ['running'], limit: pageSize });
  return items;
}

function isHeldBy({ status }: Job, worker: WorkerRecord): boolean {
  return status.state === 'running' && status.workerId === worker.id;
}

/** Where a worker's death does not take its agents along, they are found by their mark. */
async function endLeftovers(job: Job, logger: Logger): Promise<void> {
  try {
    await endAttempt({ jobId: job.id, attempt: job.attempt });
  } catch (error) {
    // The attempt that comes next looks again, and does not start beside them.
    logger.error({ err: error, jobId: job.id }, 'Processes of a dead attempt could not be ended');
  }
}
