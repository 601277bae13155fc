import type { WorkerRecord } from '../../domain/worker.ts';
import { endProcess } from '../../launcher/direct/end-process.ts';
import { toFailure } from '../../runtime/app-error.ts';
import { isAlive } from '../../runtime/process-identity.ts';
import { seeWorkers } from '../workers/list-workers.ts';
import type { Capstan } from '../open-capstan.ts';
import { reap } from '../workers/reap.ts';
import { endContainer, findOrphans, type Orphan } from './orphan-containers.ts';

export interface CleanupOptions {
  readonly dryRun: boolean;
  /** Also workers that a launcher started and that are well and idle. */
  readonly all: boolean;
  /** Also those that hang or are busy. */
  readonly force: boolean;
}

export interface CleanupStep {
  /** Null for a container whose worker is not registered. */
  readonly workerId: string | null;
  readonly name: string | null;
  readonly types: readonly string[];
  readonly pid: number | null;
  readonly containerId: string | null;
  readonly action: 'remove_record' | 'end_process' | 'end_container' | 'left_alone';
  readonly why: string;
  /** What went wrong; null where nothing did, or nothing was done. */
  readonly error: string | null;
}

const graceMs = 10_000;

/** Removes what dead workers left and ends orphans: workers of builds that are gone. Ends nothing that is not proven to be ours. */
export async function cleanupWorkers(
  capstan: Capstan,
  options: CleanupOptions,
): Promise<readonly CleanupStep[]> {
  const { store, config, logger } = capstan;
  const builds = new Set<string>(
    (await store.listBuilds()).filter(({ process }) => isAlive(process)).map(({ id }) => id),
  );
  const steps: CleanupStep[] = [];
  const seen = await seeWorkers(capstan);
  for (const { worker, status } of seen) {
    const orphan = worker.buildId !== null && !builds.has(worker.buildId);
    const decided = decide(worker, { status, orphan }, options);
    if (decided === null) continue;
    const error = options.dryRun ? null : await tried(() => carryOut(capstan, worker, decided.action));
    const { id: workerId, name, types, process } = worker;
    const containerId = worker.container?.id ?? null;
    steps.push({ workerId, name, types, pid: process.pid, containerId, ...decided, error });
    if (!options.dryRun) logger.info({ workerId, worker: name, ...decided, error }, 'Cleaned up');
  }
  const alive = seen.filter(({ status }) => status !== 'dead');
  const known = new Set(alive.flatMap(({ worker: { container } }) => container?.id ?? []));
  for (const orphan of await findOrphans(capstan, { known, builds, all: options.all })) {
    const error = options.dryRun ? null : await tried(() => endContainer(capstan, orphan.id, graceMs));
    steps.push(stepOf(orphan, error));
    if (!options.dryRun) logger.info({ container: orphan.id, why: orphan.why, error }, 'Cleaned up');
  }
  // Their jobs, and what they left running.
  if (!options.dryRun) await reap({ ...capstan, dataDir: config.dataDir });
  return steps;
}

type Decided = Pick<CleanupStep, 'action' | 'why'>;

function decide(
  worker: WorkerRecord,
  { status, orphan }: { readonly status: string; readonly orphan: boolean },
  { all, force }: CleanupOptions,
): Decided | null {
  const gone = worker.mode === 'docker' ? 'its container is gone' : 'its process is gone';
  if (status === 'dead') return { action: 'remove_record', why: gone };
  const own = worker.name !== null && (worker.mode === 'direct' || worker.container !== null);
  const end = worker.mode === 'direct' ? 'end_process' : 'end_container';
  if (orphan && own) return { action: end, why: 'its build is gone' };
  if (status === 'hung')
    return force && own
      ? { action: end, why: 'it hangs' }
      : {
          action: 'left_alone',
          why: own ? 'it hangs: --force ends it' : 'it hangs, and no launcher of ours started it',
        };
  if (!all) return null;
  if (!own) return { action: 'left_alone', why: 'no launcher of ours started it' };
  if (status === 'busy' && !force) return { action: 'left_alone', why: 'it is busy: --force ends it' };
  return { action: end, why: 'all were asked for' };
}

async function carryOut(capstan: Capstan, worker: WorkerRecord, action: Decided['action']): Promise<void> {
  const { store } = capstan;
  if (action === 'end_process') await endProcess(worker.process, { graceMs });
  else if (action === 'end_container') await endContainer(capstan, worker.name ?? '', graceMs);
  else if (action === 'remove_record' && (isAlive(worker.process) || worker.process.startToken === ''))
    await store.removeWorker(worker.id);
}

/** What went wrong, or null. */
async function tried(act: () => Promise<void>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (error) {
    return toFailure(error).message;
  }
}

function stepOf({ id, name, type, why }: Orphan, error: string | null): CleanupStep {
  const rest = { workerId: null, pid: null, containerId: id, action: 'end_container', error } as const;
  return { ...rest, name, types: [type], why };
}
