import type { WorkerRecord } from '../../domain/worker.ts';
import { endProcess } from '../../launcher/direct/end-process.ts';
import { toFailure } from '../../runtime/app-error.ts';
import { isAlive } from '../../runtime/process-identity.ts';
import { statusOf } from '../list-workers.ts';
import type { Capstan } from '../open-capstan.ts';
import { reap } from '../reap.ts';

export interface CleanupOptions {
  readonly dryRun: boolean;
  /** Also workers that a launcher started and that are well and idle. */
  readonly all: boolean;
  /** Also those that hang or are busy. */
  readonly force: boolean;
}

export interface CleanupStep {
  readonly workerId: string;
  readonly name: string | null;
  readonly types: readonly string[];
  readonly pid: number;
  readonly action: 'remove_record' | 'end_process' | 'left_alone';
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
  const { store, clock, config, logger } = capstan;
  const builds = new Set(
    (await store.listBuilds()).filter(({ process }) => isAlive(process)).map(({ id }) => id),
  );
  const steps: CleanupStep[] = [];
  for (const worker of await store.listWorkers()) {
    const status = await statusOf(worker, clock());
    const orphan = worker.buildId !== null && !builds.has(worker.buildId);
    const decided = decide(worker, { status, orphan }, options);
    if (decided === null) continue;
    const error = options.dryRun ? null : await carryOut(capstan, worker, decided.action);
    const { id: workerId, name, types, process } = worker;
    steps.push({ workerId, name, types, pid: process.pid, ...decided, error });
    if (!options.dryRun) logger.info({ workerId, worker: name, ...decided, error }, 'Cleaned up');
  }
  // Their jobs, and what they left running.
  if (!options.dryRun) await reap({ store, logger, dataDir: config.dataDir });
  return steps;
}

type Decided = Pick<CleanupStep, 'action' | 'why'>;

function decide(
  worker: WorkerRecord,
  { status, orphan }: { readonly status: string; readonly orphan: boolean },
  { all, force }: CleanupOptions,
): Decided | null {
  if (status === 'dead') return { action: 'remove_record', why: 'its process is gone' };
  const own = worker.name !== null && worker.mode === 'direct';
  if (orphan && own) return { action: 'end_process', why: 'its build is gone' };
  if (status === 'hung')
    return force && own
      ? { action: 'end_process', why: 'it hangs' }
      : {
          action: 'left_alone',
          why: own ? 'it hangs: --force ends it' : 'it hangs, and no launcher of ours started it',
        };
  if (!all) return null;
  if (!own) return { action: 'left_alone', why: 'no launcher of ours started it' };
  if (status === 'busy' && !force) return { action: 'left_alone', why: 'it is busy: --force ends it' };
  return { action: 'end_process', why: 'all were asked for' };
}

async function carryOut(
  { store }: Capstan,
  worker: WorkerRecord,
  action: Decided['action'],
): Promise<string | null> {
  if (action === 'left_alone') return null;
  try {
    if (action === 'end_process') await endProcess(worker.process, { graceMs });
    else if (isAlive(worker.process) || worker.process.startToken === '') await store.removeWorker(worker.id);
    return null;
  } catch (error) {
    return toFailure(error).message;
  }
}
