import path from 'node:path';
import { startBullmq } from './support/bullmq.ts';
import { atLeast, atMost, type Figure, type FigureContext, type Row } from './support/figure.ts';
import { createCpuMeter, type CpuMeter } from './support/cpu-meter.ts';
import { startRedis, type RedisSync } from './support/redis.ts';
import { installRivals } from './support/rivals.ts';
import { startSide } from './support/side.ts';
import { median } from './support/statistics.ts';

interface Took {
  readonly submittedMs: number;
  readonly tookMs: number;
}

const concurrency = 200;
const inFlight = 500;
const sizes = { full: { jobs: 20_000, rounds: 5 }, tiny: { jobs: 200, rounds: 1 } } as const;

export const queueThroughput: Figure = {
  name: 'queue-throughput',
  about: `No-op jobs a second, from the first submit to the last end on disk, with the worker running meanwhile; each side is one Node process (BullMQ's
Redis beside it). Ours: the embedded store, the job source and the worker of \`src/service/start-local-worker.ts\`, ${concurrency} jobs at once, submitted through the use case
\`submitJob\`, ${inFlight} under way. BullMQ: \`addBulk\` in batches of 1,000, one worker with concurrency ${concurrency}, \`removeOnComplete: false\`; Redis with \`appendonly yes, appendfsync always\` (as durable as ours), and
as it comes (snapshots now and then: a crash loses jobs). Both check that each job ran exactly once. Rounds alternate; medians. The processor time of 1,000 jobs, of all
processes of each side, says more than the wall clock where the machine has other work.`,
  async run(context) {
    installRivals(context.say);
    const { jobs, rounds } = sizes[context.scale];
    const ours: Speed[] = [];
    const rivals = { always: [] as Speed[], default: [] as Speed[] };
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await runOurs(context, jobs, round));
      for (const sync of ['always', 'default'] as const)
        rivals[sync].push(await runBullmq(context, jobs, { sync, round }));
    }
    const row = (sync: RedisSync, times: number): Row =>
      atLeast(
        {
          figure: `jobs, BullMQ with ${sync === 'always' ? 'appendfsync always' : 'default Redis'}`,
          unit: 'jobs/s',
          ours: median(ours.map(({ perSecond }) => perSecond)),
          rival: median(rivals[sync].map(({ perSecond }) => perSecond)),
        },
        times,
      );
    const cpuRow = (sync: RedisSync): Row =>
      atMost({
        figure: `processor time of 1,000 jobs, BullMQ with ${sync === 'always' ? 'appendfsync always' : 'default Redis'}`,
        unit: 'ms',
        ours: median(ours.map(({ cpuMs }) => cpuMs)),
        rival: median(rivals[sync].map(({ cpuMs }) => cpuMs)),
      });
    return [row('always', 2), row('default', 1), cpuRow('always'), cpuRow('default')];
  },
};

async function runOurs({ dir, say }: FigureContext, count: number, round: number): Promise<Speed> {
  const data = path.join(dir, `ours-${round}`);
  await using meter = createCpuMeter();
  await using side = startSide(new URL('./children/queue-side.ts', import.meta.url));
  await side.ask({ do: 'work', dir: data, concurrency });
  await side.ask({ do: 'drainAll', dir: data, count: Math.ceil(count / 10), inFlight });
  meter.add(side.pid);
  return await measure('ours', { meter, count, say }, () =>
    side.ask<Took>({ do: 'drainAll', dir: data, count, inFlight }),
  );
}

interface Rival {
  readonly sync: RedisSync;
  readonly round: number;
}

async function runBullmq({ dir, say }: FigureContext, count: number, { sync, round }: Rival): Promise<Speed> {
  await using meter = createCpuMeter();
  await using redis = await startRedis(path.join(dir, `redis-${sync}-${round}`), sync);
  await using side = startBullmq();
  await side.ask({ do: 'work', port: redis.port, concurrency });
  await side.ask({ do: 'drainAll', port: redis.port, count: Math.ceil(count / 10), batch: 1_000 });
  meter.add(side.pid);
  meter.add(redis.pid);
  return await measure(`BullMQ, ${sync}`, { meter, count, say }, () =>
    side.ask<Took>({ do: 'drainAll', port: redis.port, count, batch: 1_000 }),
  );
}

interface Speed {
  readonly perSecond: number;
  /** Of 1,000 jobs, over all processes of that side. */
  readonly cpuMs: number;
}

interface Round {
  readonly meter: CpuMeter;
  readonly count: number;
  readonly say: (text: string) => void;
}

async function measure(who: string, round: Round, run: () => Promise<Took>): Promise<Speed> {
  const { meter, count, say } = round;
  const before = meter.readMs();
  const took = await run();
  const cpuMs = (meter.readMs() - before) / (count / 1000);
  const perSecond = count / (took.tookMs / 1000);
  const submitted = `submitted after ${Math.round(took.submittedMs)} of ${Math.round(took.tookMs)} ms`;
  say(
    `${who}: ${Math.round(perSecond)} jobs/s (${submitted}), processor ${Math.round(cpuMs)} ms of 1,000 jobs`,
  );
  return { perSecond, cpuMs };
}
