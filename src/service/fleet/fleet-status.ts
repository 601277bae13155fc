import { hostname } from 'node:os';
import { join } from 'node:path';
import type { WorkerView } from '../../contract/worker.ts';
import { dockerTypes } from '../../config/docker-types.ts';
import { toFailure } from '../../runtime/app-error.ts';
import { listWorkers } from '../workers/list-workers.ts';
import type { Capstan } from '../open-capstan.ts';
import { diskWarning } from './machine.ts';
import type { WorkerState } from './worker-state-file.ts';

export interface FleetProblem {
  /** The type of worker that it is about; null for the machine. */
  readonly type: string | null;
  readonly level: 'warning' | 'error';
  readonly message: string;
  readonly hint: string;
}

export interface TypeStatus {
  readonly type: string;
  /** Workers by status. */
  readonly workers: Readonly<Record<string, number>>;
  readonly waiting: number;
  /** Those that no worker takes, by queue. */
  readonly unserved: Readonly<Record<string, number>>;
  readonly running: number;
  readonly averageMs: number | null;
}

export interface FleetStatus {
  readonly health: 'healthy' | 'warning' | 'error';
  readonly host: string;
  readonly dbPath: string;
  readonly types: readonly TypeStatus[];
  readonly problems: readonly FleetProblem[];
}

const serving = ['starting', 'idle', 'busy'];

/**
 * How the workers and their queues stand, and what a person should do about it.
 * @param services what was started to go on, where that is known
 */
export async function fleetStatus(
  capstan: Capstan,
  services: WorkerState | null = null,
): Promise<FleetStatus> {
  const { store, config } = capstan;
  const [workers, stats] = await Promise.all([listWorkers(capstan), store.queueStats()]);
  const names = new Set([...workers.flatMap(({ types }) => types), ...stats.map(({ type }) => type)]);
  const types = [...names].sort().map((type): TypeStatus => {
    const counts: Record<string, number> = {};
    for (const worker of workers)
      if (worker.types.includes(type)) counts[worker.status] = (counts[worker.status] ?? 0) + 1;
    const queue = stats.find((each) => each.type === type);
    const { waiting = 0, waitingIn = {}, running = 0, averageMs = null } = queue ?? {};
    const served = new Set(
      workers
        .filter((each) => each.types.includes(type) && serving.includes(each.status))
        .flatMap(({ queues }) => queues),
    );
    const unserved = Object.fromEntries(Object.entries(waitingIn).filter(([name]) => !served.has(name)));
    return { type, workers: counts, waiting, unserved, running, averageMs };
  });
  const disk = diskWarning(config.dataDir);
  const problems = [
    ...types.flatMap(problemsOf),
    ...goneServices(services, { config, workers }),
    ...(await engineProblems(capstan)),
    ...(disk === null ? [] : [{ type: null, level: 'warning', message: disk, hint: '' } as const]),
  ];
  const health = problems.some(({ level }) => level === 'error')
    ? 'error'
    : problems.length > 0
      ? 'warning'
      : 'healthy';
  return { health, host: hostname(), dbPath: config.dbPath, types, problems };
}

/** A service that was killed has no row any more once its jobs were taken from it, and nobody starts it again. */
function goneServices(
  services: WorkerState | null,
  { config, workers }: { readonly config: Capstan['config']; readonly workers: readonly WorkerView[] },
): readonly FleetProblem[] {
  if (services?.dbPath !== config.dbPath) return [];
  const there = new Set(workers.map(({ name }) => name));
  return services.workers
    .filter(({ name }) => !there.has(name))
    .map(({ name, type, mode }) => ({
      type,
      level: 'warning',
      message: `The service ${name} is gone.`,
      hint: `Start what is missing with \`capstan start-services\`.${mode === 'direct' ? ` Its log: ${join(config.dataDir, 'logs', `${name}.log`)}` : ''}`,
    }));
}

/** Only where the settings have workers run in containers. */
async function engineProblems({ config, containers }: Capstan): Promise<readonly FleetProblem[]> {
  if (dockerTypes(config).length === 0) return [];
  try {
    await containers.engine();
    return [];
  } catch (error) {
    const { message, hint } = toFailure(error);
    return [{ type: null, level: 'warning', message, hint }];
  }
}

function problemsOf({ type, workers, unserved }: TypeStatus): readonly FleetProblem[] {
  const problems: FleetProblem[] = [];
  const nobody = serving.every((status) => (workers[status] ?? 0) === 0);
  const waiting = Object.values(unserved).reduce((sum, count) => sum + count, 0);
  if (waiting > 0) {
    const jobs = `${waiting} ${type} ${waiting === 1 ? 'job waits' : 'jobs wait'}`;
    const start = `Start some with \`capstan start-services\`, or one with \`capstan worker --type ${type}\``;
    problems.push({
      type,
      level: 'error',
      message: nobody
        ? `${jobs}, and no worker takes them.`
        : `${jobs} in ${Object.keys(unserved).join(' and ')}, and the workers that run do not take from there.`,
      hint: nobody
        ? `${start}.`
        : `${start} with the settings of the build that wants them, build again, or cancel them with \`capstan jobs cancel\`.`,
    });
  }
  for (const status of ['hung', 'dead'] as const) {
    const count = workers[status] ?? 0;
    if (count === 0) continue;
    problems.push({
      type,
      level: 'warning',
      message: `${count} ${type} ${count === 1 ? 'worker is' : 'workers are'} ${status}.`,
      hint:
        status === 'dead'
          ? 'Remove it with `capstan workers cleanup`.'
          : 'End it with `capstan workers cleanup --force`.',
    });
  }
  return problems;
}
