/** BullMQ's side of the queue's figures, configured for speed: many at once in a pipeline, one atomic script for each end and the next start. */
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { answer } from '../support/answer.js';

const name = 'noop';
let runs = new Map();
let startedAtNs = new Map();
let ended = 0;
let onRun = () => undefined;
let onEnded = () => undefined;
let queue;
const workers = [];
const connections = [];

function connect(port) {
  const connection = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null });
  connections.push(connection);
  return connection;
}

function open({ port }) {
  queue ??= new Queue(name, {
    connection: connect(port),
    defaultJobOptions: { removeOnComplete: false, removeOnFail: false },
  });
  return queue;
}

async function work({ port, concurrency, count = 1 }) {
  for (let index = 0; index < count; index += 1) {
    const worker = new Worker(
      name,
      async ({ data }) => {
        const now = process.hrtime.bigint();
        runs.set(data.number, (runs.get(data.number) ?? 0) + 1);
        startedAtNs.set(data.number, now);
        onRun();
      },
      { connection: connect(port), concurrency },
    );
    worker.on('completed', () => {
      ended += 1;
      onEnded();
    });
    worker.on('error', (error) => {
      console.error(error);
    });
    workers.push(worker);
    await worker.waitUntilReady();
  }
}

async function drainAll({ port, count, batch }) {
  const opened = open({ port });
  await opened.waitUntilReady();
  runs = new Map();
  ended = 0;
  const done = new Promise((resolve) => {
    onEnded = () => {
      if (ended === count) resolve();
    };
  });
  const began = performance.now();
  const adding = [];
  for (let first = 1; first <= count; first += batch) {
    const numbers = Array.from({ length: Math.min(batch, count - first + 1) }, (_, index) => first + index);
    adding.push(opened.addBulk(numbers.map((number) => ({ name: 'noop', data: { number } }))));
    // Two batches under way keep Redis busy; all at once would only fill buffers.
    if (adding.length === 2) await adding.shift();
  }
  await Promise.all(adding);
  const submittedMs = performance.now() - began;
  await done;
  const tookMs = performance.now() - began;
  const wrong = Array.from({ length: count }, (_, index) => runs.get(index + 1)).filter((n) => n !== 1);
  const { completed, ...rest } = await opened.getJobCounts('completed', 'failed', 'active', 'waiting');
  if (wrong.length > 0 || completed < count || Object.values(rest).some((n) => n > 0))
    throw new Error(
      `${wrong.length} of ${count} jobs were not run exactly once: ${JSON.stringify({ completed, ...rest })}`,
    );
  await opened.obliterate({ force: true });
  return { submittedMs, tookMs };
}

async function submitOne({ port, number }) {
  const opened = open({ port });
  const atNs = process.hrtime.bigint();
  await opened.add('noop', { number });
  return { atNs: String(atNs), storedNs: String(process.hrtime.bigint()) };
}

async function startOf({ number }) {
  for (;;) {
    const rung = new Promise((resolve) => {
      onRun = resolve;
    });
    const atNs = startedAtNs.get(number);
    if (atNs !== undefined) return String(atNs);
    await rung;
  }
}

answer(
  {
    open: async (request) => void (await open(request).waitUntilReady()),
    work,
    drainAll,
    submitOne,
    startOf,
  },
  async () => {
    // The Redis may be gone by now.
    await Promise.race([
      Promise.all([...workers, queue].map((each) => each?.close())),
      new Promise((resolve) => setTimeout(resolve, 1_000)),
    ]).catch(() => undefined);
    for (const connection of connections) connection.disconnect();
    process.exit();
  },
);
