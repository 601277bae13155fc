import path from 'node:path';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import { createCpuMeter } from './support/cpu-meter.ts';
import { atLeast, atMost, type Figure, type FigureContext } from './support/figure.ts';
import { startSide } from './support/side.ts';
import { median } from './support/statistics.ts';

const workers = 8;
const concurrency = 2;
const sizes = { full: { jobs: 2_000, rounds: 5 }, tiny: { jobs: 160, rounds: 1 } } as const;
const program = new URL('./children/queue-side.ts', import.meta.url);

interface Ran {
  readonly numbers: readonly number[];
  readonly complaints: readonly string[];
}

interface Shared {
  /** Jobs of each worker. */
  readonly shares: readonly number[];
  readonly tookMs: number;
  /** Of 1,000 jobs, over all processes. */
  readonly cpuMs: number;
}

export const fleetFairness: Figure = {
  name: 'fleet-fairness',
  about: `2,000 jobs that do nothing, submitted by one process while ${workers} worker processes on the same SQLite file take them, ${concurrency} at once each: the worst case for locks, as a job is nothing but claims and
commits. The figure fails where a job is lost or run twice, or where a worker warns of anything (a lock that reaches it, a lease that it loses). Shares: the jobs of the worker with the fewest and with the
most, beside an equal share. Time and processor time are beside one worker alone on the same number of jobs. Medians of rounds.`,
  async run(context) {
    const { jobs, rounds } = sizes[context.scale];
    const fleet: Shared[] = [];
    const alone: Shared[] = [];
    for (let round = 0; round < rounds; round += 1) {
      fleet.push(await share(context, { count: workers, jobs, round }));
      alone.push(await share(context, { count: 1, jobs, round }));
      context.say(`shares ${[...(fleet.at(-1)?.shares ?? [])].sort((a, b) => a - b).join(', ')}`);
    }
    const of = (sides: readonly Shared[], what: (side: Shared) => number): number => median(sides.map(what));
    const equal = jobs / workers;
    const figure = (what: string): string => `${what}, ${workers} workers`;
    return [
      atLeast(
        {
          figure: `${figure('fewest jobs of one worker')} over an equal share`,
          unit: 'jobs',
          ours: of(fleet, ({ shares }) => Math.min(...shares)),
          rival: equal,
        },
        0.5,
      ),
      atMost(
        {
          figure: `${figure('most jobs of one worker')} over an equal share`,
          unit: 'jobs',
          ours: of(fleet, ({ shares }) => Math.max(...shares)),
          rival: equal,
        },
        2,
      ),
      atMost({
        figure: `${figure(`wall of ${jobs} jobs`)} over one`,
        unit: 'ms',
        ours: of(fleet, ({ tookMs }) => tookMs),
        rival: of(alone, ({ tookMs }) => tookMs),
      }),
      atMost({
        figure: `${figure('processor time of 1,000 jobs')} over one`,
        unit: 'ms',
        ours: of(fleet, ({ cpuMs }) => cpuMs),
        rival: of(alone, ({ cpuMs }) => cpuMs),
      }),
    ];
  },
};

interface Round {
  readonly count: number;
  readonly jobs: number;
  readonly round: number;
}

async function share(context: FigureContext, { count, jobs, round }: Round): Promise<Shared> {
  const dir = path.join(context.dir, `${count}-${round}`);
  await using open = new AsyncDisposableStack();
  const meter = open.use(createCpuMeter());
  const submitter = open.use(startSide(program));
  await submitter.ask({ do: 'open', dir });
  const sides = Array.from({ length: count }, () => open.use(startSide(program)));
  await Promise.all(sides.map((side) => side.ask({ do: 'work', dir, concurrency })));
  for (const side of [submitter, ...sides]) meter.add(side.pid);
  const before = meter.readMs();
  const began = performance.now();
  await submitter.ask({ do: 'submitAll', dir, count: jobs, inFlight: 50 });
  await allDone(dir, jobs, context.signal);
  const tookMs = performance.now() - began;
  const cpuMs = (meter.readMs() - before) / (jobs / 1_000);
  const ran = await Promise.all(sides.map((side) => side.ask<Ran>({ do: 'ran' })));
  const complaints = ran.flatMap((each) => each.complaints);
  if (complaints.length > 0) throw new Error(`A worker warned: ${complaints[0] ?? ''}`);
  const numbers = ran.flatMap((each) => each.numbers);
  if (numbers.length !== jobs || new Set(numbers).size !== jobs)
    throw new Error(`${numbers.length} runs of ${new Set(numbers).size} jobs, and not ${jobs}`);
  return { shares: ran.map((each) => each.numbers.length), tookMs, cpuMs };
}

/** Resolves when so many jobs have succeeded. */
async function allDone(dir: string, jobs: number, signal: AbortSignal): Promise<void> {
  await using store = await openSqliteStore({ dbPath: path.join(dir, 'capstan.db') });
  for (;;) {
    const { promise: rung, resolve } = Promise.withResolvers<undefined>();
    const unsubscribe = store.subscribe('events', () => {
      resolve(undefined);
    });
    try {
      signal.throwIfAborted();
      const open = await store.listJobs({ states: ['queued', 'running', 'parked'], limit: 1 });
      if (open.items.length === 0) break;
      await rung;
    } finally {
      unsubscribe();
    }
  }
  const { items } = await store.listJobs({ states: ['succeeded'], limit: jobs + 1 });
  if (items.length !== jobs) throw new Error(`${items.length} of ${jobs} jobs have succeeded`);
}
