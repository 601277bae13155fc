import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pause } from '../src/runtime/wait.ts';
import { startBullmq } from './support/bullmq.ts';
import { createCpuMeter } from './support/cpu-meter.ts';
import { below, type Figure, type FigureContext } from './support/figure.ts';
import { oneCommand, startModel } from './support/model.ts';
import { command, key } from './support/places.ts';
import { startRedis } from './support/redis.ts';
import { installRivals } from './support/rivals.ts';

const seconds = { full: 20, tiny: 1 } as const;
/** What starting up leaves to be done. */
const settleMs = 3_000;
const readyLimitMs = 60_000;

export const idleCpu: Figure = {
  name: 'idle-cpu',
  about: `Processor time of the whole tree of an idle \`capstan serve\` with one worker and its app-server, over ${seconds.full} s, as a share of one processor; beside an idle BullMQ worker with its Redis.`,
  async run(context) {
    installRivals(context.say);
    const ours = await serveShare(context);
    const rival = await bullmqShare(context);
    return [below({ figure: 'idle server with one worker', unit: '% of a processor', ours, rival }, 1)];
  },
};

async function serveShare(context: FigureContext): Promise<number> {
  await using model = await startModel(context.dir, oneCommand);
  await using meter = createCpuMeter();
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: context.dir,
    CAPSTAN_DATA: path.join(context.dir, 'idle'),
    CAPSTAN_CODEX__BASE_URL: model.baseUrl,
    OPENAI_API_KEY: key,
  };
  const child = spawn(process.execPath, [command, 'serve', '--port', '0'], {
    cwd: context.dir,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  meter.add(child.pid ?? 0);
  const exited = once(child, 'exit');
  try {
    await workerReady(child);
    return await share(meter, context);
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

async function workerReady(child: ChildProcess): Promise<void> {
  let said = '';
  const ready = Promise.withResolvers<undefined>();
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-10_000);
    if (said.includes('Worker ready')) ready.resolve(undefined);
  });
  child.once('exit', () => {
    ready.reject(new Error(`capstan serve ended:\n${said}`));
  });
  const late = setTimeout(() => {
    ready.reject(new Error(`capstan serve has no worker yet:\n${said}`));
  }, readyLimitMs);
  await ready.promise.finally(() => {
    clearTimeout(late);
  });
}

async function bullmqShare(context: FigureContext): Promise<number> {
  await using meter = createCpuMeter();
  await using redis = await startRedis(path.join(context.dir, 'idle-redis'), 'default');
  await using side = startBullmq();
  meter.add(redis.pid);
  meter.add(side.pid);
  await side.ask({ do: 'work', port: redis.port, concurrency: 4 });
  return await share(meter, context);
}

/** Percent of one processor. */
async function share(meter: { readMs(): number }, { scale, signal }: FigureContext): Promise<number> {
  await pause(settleMs, signal);
  const began = performance.now();
  const before = meter.readMs();
  await pause(seconds[scale] * 1000, signal);
  signal.throwIfAborted();
  return ((meter.readMs() - before) / (performance.now() - began)) * 100;
}
