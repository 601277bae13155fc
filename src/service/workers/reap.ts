import { hostname } from 'node:os';
import { join } from 'node:path';
import { endAgentsOf } from '../../codex/end-agents-of.ts';
import { endAttempt } from '../../codex/end-attempt.ts';
import type { Job } from '../../domain/job.ts';
import type { Logger } from '../../domain/logger.ts';
import type { Store } from '../../domain/store.ts';
import type { WorkerRecord } from '../../domain/worker.ts';
import { isAlive } from '../../runtime/process-identity.ts';
import { createOutbox } from '../../worker/outbox.ts';
import type { Containers } from '../fleet/containers.ts';
import { sweepScratchOf } from './own-scratch.ts';

export interface ReapDeps {
  readonly store: Store;
  readonly dataDir: string;
  readonly logger: Logger;
  /** None: workers in containers are known to be dead only by their silence. */
  readonly containers?: Containers | undefined;
}

/** Jobs that run at once in one data folder; what is beyond is found the next time. */
const pageSize = 1_000;

/**
 * Takes over from the dead: delivers the outcomes that they could not, ends what they left running on this host, and puts their jobs back
 * into the queue; likewise the jobs whose lease ran out. Safe to run anywhere at any time, also by several at once.
 * @returns whether there was anything to take over
 */
export async function reap(deps: ReapDeps): Promise<boolean> {
  const { store, logger } = deps;
  const outcomes = { finish: store.finishAttempt.bind(store) };
  // First: an outcome of an attempt that has been taken away would be refused.
  await createOutbox(outboxDir(deps.dataDir), outcomes, logger).resend();
  const registered = await store.listWorkers();
  const workers = registered.filter(({ process }) => process.host === hostname());
  const held = await heldJobs(store, workers);
  const dead = workers.filter(({ process }) => !isAlive(process));
  for (const worker of dead) {
    // Before the jobs are given to others, who would find the thread and the workspace in use.
    await endLeftovers(worker, held.get(worker) ?? [], logger);
    const jobs = await store.removeWorker(worker.id);
    const { pid } = worker.process;
    logger.warn({ workerId: worker.id, pid, jobs }, 'A worker died; its jobs are back in the queue');
  }
  const gone = await reapContainers(deps, registered);
  // What dead builds wanted alone is not cancelled: who builds next finds it made.
  for (const build of await store.listBuilds()) if (!isAlive(build.process)) await store.closeBuild(build.id);
  const expired = await store.reapExpired();
  if (expired.length > 0) logger.warn({ jobs: expired }, 'Leases ran out; the jobs are back in the queue');
  for (const [worker, jobs] of held) {
    const lost = jobs.filter(({ id }) => expired.includes(id));
    // A worker that is alive but does not say so is suspended or hangs: it must not go on with them when it wakes up.
    if (lost.length > 0 && worker.process.pid !== process.pid) await endLeftovers(worker, lost, logger);
  }
  return dead.length + gone + expired.length > 0;
}

/** A container takes along all that ran in it: only its jobs and its scratch are left. */
async function reapContainers(deps: ReapDeps, registered: readonly WorkerRecord[]): Promise<number> {
  const { store, logger, containers, dataDir } = deps;
  const states = await containers?.states(registered);
  const gone = registered.filter(({ id }) => states?.get(id) === 'gone');
  for (const worker of gone) {
    const jobs = await store.removeWorker(worker.id);
    await sweepScratchOf(dataDir, worker.process.host);
    const facts = { workerId: worker.id, container: worker.container?.id, jobs };
    logger.warn(facts, "A worker's container is gone; its jobs are back in the queue");
  }
  return gone.length;
}

/** Where outcomes wait that could not be delivered. */
export function outboxDir(dataDir: string): string {
  return join(dataDir, 'outbox');
}

async function heldJobs(
  store: Store,
  workers: readonly WorkerRecord[],
): Promise<ReadonlyMap<WorkerRecord, readonly Job[]>> {
  const { items } = await store.listJobs({ states: ['running'], limit: pageSize });
  const of = ({ id }: WorkerRecord): readonly Job[] =>
    items.filter(({ status }) => status.state === 'running' && status.workerId === id);
  return new Map(workers.map((worker) => [worker, of(worker)]));
}

/** Where a worker's end does not take its agents along, they are found by their marks: their own, and that of the attempt. */
async function endLeftovers(worker: WorkerRecord, jobs: readonly Job[], logger: Logger): Promise<void> {
  try {
    await endAgentsOf(worker.process);
    for (const { id, attempt } of jobs) await endAttempt({ jobId: id, attempt });
  } catch (error) {
    // The attempt that comes next looks again, and does not start beside them.
    logger.error({ err: error, workerId: worker.id }, 'Processes of a dead worker could not be ended');
  }
}
