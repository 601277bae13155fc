import { hostname } from 'node:os';
import type { WorkerStatus, WorkerView } from '../../contract/worker.ts';
import type { WorkerRecord } from '../../domain/worker.ts';
import { isAlive, isSuspended } from '../../runtime/process-identity.ts';
import { toIso } from '../../runtime/clock.ts';
import type { ContainerState } from '../../launcher/docker/container-states.ts';
import type { JobServices } from '../jobs/job-services.ts';

/** A worker that was not heard of for so long hangs, even if its process is there. */
const silentMs = 60_000;

/** Registered workers with what can be seen of them: one whose process or container is gone is dead, whatever its row says. */
export async function listWorkers(services: WorkerServices): Promise<readonly WorkerView[]> {
  return (await seeWorkers(services)).map(({ worker, status }) => view(worker, status));
}

type WorkerServices = Pick<JobServices, 'store' | 'clock' | 'containers'>;

/** The registered workers, each with its status. */
export async function seeWorkers({
  store,
  clock,
  containers,
}: WorkerServices): Promise<readonly { readonly worker: WorkerRecord; readonly status: WorkerStatus }[]> {
  const workers = await store.listWorkers();
  const states = await containers?.states(workers);
  return workers.map((worker) => ({ worker, status: statusOf(worker, clock(), states?.get(worker.id)) }));
}

/** Whether the worker can be counted on to take a job. */
export function isServing(status: WorkerStatus): boolean {
  return status === 'idle' || status === 'busy' || status === 'starting';
}

function statusOf(worker: WorkerRecord, nowMs: number, container?: ContainerState): WorkerStatus {
  if (container === 'gone') return 'dead';
  if (container === 'paused') return 'hung';
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
    containerId: worker.container?.id ?? null,
    status,
    concurrency: worker.concurrency,
    activeJobs: worker.activeJobs,
    jobsProcessed: worker.jobsProcessed,
    startedAt: toIso(worker.startedAtMs),
    lastSeenAt: toIso(worker.lastSeenAtMs),
  };
}

/** Whether a worker is alive that takes jobs of this type, whoever wants them: one of a build serves that build alone. */
export async function someoneServes(services: WorkerServices, type: string): Promise<boolean> {
  return (await seeWorkers(services)).some(
    ({ worker, status }) => worker.buildId === null && worker.types.includes(type) && isServing(status),
  );
}
