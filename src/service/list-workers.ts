import { hostname } from 'node:os';
import type { WorkerStatus, WorkerView } from '../contract/worker.ts';
import type { WorkerRecord } from '../domain/worker.ts';
import { isAlive, isSuspended } from '../runtime/process-identity.ts';
import { toIso } from '../runtime/clock.ts';
import type { JobServices } from './job-services.ts';

/** A worker that was not heard of for so long hangs, even if its process is there. */
const silentMs = 60_000;

/** Registered workers with what can be seen of them: a local process that is gone is dead, whatever its row says. */
export async function listWorkers({
  store,
  clock,
}: Pick<JobServices, 'store' | 'clock'>): Promise<readonly WorkerView[]> {
  const workers = await store.listWorkers();
  return Promise.all(workers.map(async (worker) => view(worker, await statusOf(worker, clock()))));
}

/** Whether the worker can be counted on to take a job. */
export async function isServing(worker: WorkerRecord, nowMs: number): Promise<boolean> {
  const status = await statusOf(worker, nowMs);
  return status === 'idle' || status === 'busy' || status === 'starting';
}

export async function statusOf(worker: WorkerRecord, nowMs: number): Promise<WorkerStatus> {
  const local = worker.process.host === hostname();
  if (local && !isAlive(worker.process)) return 'dead';
  if (isSuspended(worker.process)) return 'hung';
  if (nowMs - worker.lastSeenAtMs > silentMs) return local ? 'hung' : 'dead';
  if (worker.state !== 'ready') return worker.state;
  return worker.activeJobs > 0 ? 'busy' : 'idle';
}

function view(worker: WorkerRecord, status: WorkerStatus): WorkerView {
  return {
    id: worker.id,
    name: worker.name,
    buildId: worker.buildId,
    types: [...worker.types],
    queues: [...worker.queues],
    mode: worker.mode,
    host: worker.process.host,
    pid: worker.process.pid,
    status,
    concurrency: worker.concurrency,
    activeJobs: worker.activeJobs,
    jobsProcessed: worker.jobsProcessed,
    startedAt: toIso(worker.startedAtMs),
    lastSeenAt: toIso(worker.lastSeenAtMs),
  };
}

/** Whether a worker is alive that takes jobs of this type. */
export async function someoneServes(
  { store, clock }: Pick<JobServices, 'store' | 'clock'>,
  type: string,
): Promise<boolean> {
  const now = clock();
  for (const worker of await store.listWorkers()) {
    if (worker.types.includes(type) && (await isServing(worker, now))) return true;
  }
  return false;
}
