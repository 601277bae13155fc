import path from 'node:path';
import { pause } from '../src/runtime/wait.ts';
import { startBullmq } from './support/bullmq.ts';
import { below, type Figure, type FigureContext, type Row } from './support/figure.ts';
import { startRedis, type RedisSync } from './support/redis.ts';
import { installRivals } from './support/rivals.ts';
import { startSide, type Side } from './support/side.ts';
import { percentile } from './support/statistics.ts';

const sizes = { full: { jobs: 1_200, rounds: 6 }, tiny: { jobs: 20, rounds: 1 } } as const;
/** Long enough for the worker to be asleep again. */
const spaceMs = 4;
const warmUpJobs = 50;

export const wakeLatency: Figure = {
  name: 'wake-latency',
  about: `From the call that enqueues a job in one process to the first line of its handler in another, on the clock that all processes share; the wait for the disk is in it.
Jobs come one by one, ${spaceMs} ms after the one before has started, so that each finds the worker asleep. Both sides have one producer and one worker process; rounds alternate.
BullMQ with its default Redis does not wait for the disk; with \`appendfsync always\` it does, as ours does.`,
  async run(context) {
    installRivals(context.say);
    const { jobs, rounds } = sizes[context.scale];
    const each = Math.ceil(jobs / rounds);
    const latencies = { ours: [] as number[], always: [] as number[], default: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      latencies.ours.push(...(await ours(context, each, round)));
      for (const sync of ['always', 'default'] as const)
        latencies[sync].push(...(await bullmq(context, each, { sync, round })));
    }
    for (const [who, values] of Object.entries(latencies)) {
      const shown = [0.5, 0.9, 0.99].map((p) => percentile(values, p).toFixed(2)).join(', ');
      context.say(`${who}: p50, p90, p99 of ${values.length} jobs: ${shown} ms`);
    }
    const row = (p: number, limit: number, sync: RedisSync): Row =>
      below(
        {
          figure: `enqueue → start elsewhere, p${p * 100}, BullMQ with ${sync === 'always' ? 'appendfsync always' : 'default Redis'}`,
          unit: 'ms',
          ours: percentile(latencies.ours, p),
          rival: percentile(latencies[sync], p),
        },
        limit,
      );
    return [
      row(0.5, 1, 'always'),
      row(0.99, 2.5, 'always'),
      row(0.5, 1, 'default'),
      row(0.99, 2.5, 'default'),
    ];
  },
};

async function ours({ dir, signal }: FigureContext, jobs: number, round: number): Promise<readonly number[]> {
  const data = path.join(dir, `wake-${round}`);
  await using worker = startSide(new URL('./children/queue-side.ts', import.meta.url));
  await worker.ask({ do: 'work', dir: data, concurrency: 4 });
  await using producer = startSide(new URL('./children/queue-side.ts', import.meta.url));
  await producer.ask({ do: 'open', dir: data });
  return await measure(producer, worker, { jobs, where: { dir: data }, signal });
}

interface Rival {
  readonly sync: RedisSync;
  readonly round: number;
}

async function bullmq(
  { dir, signal }: FigureContext,
  jobs: number,
  { sync, round }: Rival,
): Promise<readonly number[]> {
  await using redis = await startRedis(path.join(dir, `wake-redis-${sync}-${round}`), sync);
  await using worker = startBullmq();
  await worker.ask({ do: 'work', port: redis.port, concurrency: 4 });
  await using producer = startBullmq();
  await producer.ask({ do: 'open', port: redis.port });
  return await measure(producer, worker, { jobs, where: { port: redis.port }, signal });
}

interface Work {
  readonly jobs: number;
  readonly where: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

async function measure(
  producer: Side,
  worker: Side,
  { jobs, where, signal }: Work,
): Promise<readonly number[]> {
  const latencies: number[] = [];
  for (let number = 1; number <= warmUpJobs + jobs; number += 1) {
    const { atNs } = await producer.ask<{ atNs: string }>({ do: 'submitOne', number, ...where });
    const startedNs = await worker.ask<string>({ do: 'startOf', number });
    if (number > warmUpJobs) latencies.push(Number(BigInt(startedNs) - BigInt(atNs)) / 1e6);
    await pause(spaceMs, signal);
  }
  return latencies;
}
