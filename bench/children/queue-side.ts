/** Our side of the queue's figures: a store, and a worker in this process whose jobs do nothing. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';
import { z } from 'zod';
import { submitJobSchema } from '../../src/contract/job.ts';
import { emptyReport } from '../../src/domain/job.ts';
import type { Runner } from '../../src/domain/runner.ts';
import type { Store } from '../../src/domain/store.ts';
import { startLocalWorker, type LocalWorker } from '../../src/service/workers/start-local-worker.ts';
import { submitJob } from '../../src/service/jobs/submit-job.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { createLogger } from '../../src/telemetry/create-logger.ts';
import { answer } from '../support/answer.js';

const drain = new AbortController();
/** What the worker warned of: a lock that reaches it, a lost lease. */
const complaints: string[] = [];
const complain = new Writable({
  write(line: Buffer, _encoding, done) {
    complaints.push(line.toString());
    process.stderr.write(line, done);
  },
});
const logger = createLogger({ level: 'warn', format: 'text', destination: complain });
const inputSchema = z.object({ number: z.number() });
const jobTypes = new Map([
  [
    'noop',
    {
      inputSchema,
      prepare: (_id: unknown, input: unknown) => Promise.resolve(input),
      discard: () => Promise.resolve(),
    },
  ],
]);
/** How often each job was run. */
let runs = new Map<number, number>();
let startedAtNs = new Map<number, bigint>();
let onRun: () => void = () => undefined;
/** Jobs whose end is on disk. */
let ended = 0;
let onEnded: () => void = () => undefined;
let store: Store | null = null;
let worker: LocalWorker | null = null;

const runner: Runner = {
  type: 'noop',
  start: () => Promise.resolve(),
  run({ job }) {
    const now = process.hrtime.bigint();
    const { number } = inputSchema.parse(job.input);
    runs.set(number, (runs.get(number) ?? 0) + 1);
    startedAtNs.set(number, now);
    onRun();
    return Promise.resolve({ kind: 'succeeded', report: emptyReport });
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

async function open({ dir }: { readonly dir: string }): Promise<Store> {
  await mkdir(dir, { recursive: true });
  store ??= counting(await openSqliteStore({ dbPath: path.join(dir, 'capstan.db') }));
  return store;
}

function counting(opened: Store): Store {
  return {
    ...opened,
    async finishAttempt(lease, outcome) {
      const result = await opened.finishAttempt(lease, outcome);
      if (result === 'applied') ended += 1;
      onEnded();
      return result;
    },
  };
}

async function work(request: { readonly dir: string; readonly concurrency: number }): Promise<void> {
  worker = await startLocalWorker(
    {
      store: await open(request),
      dataDir: request.dir,
      runners: [runner],
      concurrency: request.concurrency,
      leaseMs: 30_000,
      drainGraceMs: 10_000,
      logger,
    },
    drain.signal,
  );
}

const submission = (number: number) => submitJobSchema.parse({ type: 'noop', input: { number } });

/** Submits `count` jobs while the worker takes them, and waits until the last one's end is on disk. */
async function drainAll(request: {
  readonly dir: string;
  readonly count: number;
  readonly inFlight: number;
}) {
  const opened = await open(request);
  runs = new Map();
  startedAtNs = new Map();
  ended = 0;
  const done = Promise.withResolvers<undefined>();
  onEnded = () => {
    if (ended === request.count) done.resolve(undefined);
  };
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: request.inFlight }, async () => {
      while (next < request.count) await submitJob({ store: opened, jobTypes }, submission((next += 1)));
    }),
  );
  const submittedMs = performance.now() - began;
  await done.promise;
  const tookMs = performance.now() - began;
  const wrong = Array.from({ length: request.count }, (_, index) => runs.get(index + 1)).filter(
    (n) => n !== 1,
  );
  const { items } = await opened.listJobs({
    states: ['queued', 'running', 'failed', 'cancelled', 'parked'],
    limit: 1,
  });
  if (wrong.length > 0 || items.length > 0 || runs.size !== request.count)
    throw new Error(`${wrong.length} of ${request.count} jobs were not run exactly once`);
  return { submittedMs, tookMs };
}

/** Submits `count` jobs for whatever workers there are. */
async function submitAll(request: {
  readonly dir: string;
  readonly count: number;
  readonly inFlight: number;
}): Promise<void> {
  const opened = await open(request);
  let next = 0;
  await Promise.all(
    Array.from({ length: request.inFlight }, async () => {
      while (next < request.count) await submitJob({ store: opened, jobTypes }, submission((next += 1)));
    }),
  );
}

/** The numbers of the jobs that this worker ran, as often as it ran each, and what it warned of. */
function ran() {
  return { numbers: [...runs].flatMap(([number, times]) => Array<number>(times).fill(number)), complaints };
}

/** Submits one job; when, on the clock that all processes share, and when it was on disk. */
async function submitOne(request: { readonly dir: string; readonly number: number }) {
  const opened = await open(request);
  const submission_ = submission(request.number);
  const atNs = process.hrtime.bigint();
  await submitJob({ store: opened, jobTypes }, submission_);
  return { atNs: String(atNs), storedNs: String(process.hrtime.bigint()) };
}

/** When that job was started; waits for it. */
async function startOf({ number }: { readonly number: number }): Promise<string> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    onRun = () => {
      resolve(undefined);
    };
    const atNs = startedAtNs.get(number);
    if (atNs !== undefined) return String(atNs);
    await promise;
  }
}

answer(
  {
    open: (request: { readonly dir: string }) => open(request).then(() => null),
    work,
    drainAll,
    submitAll,
    ran,
    submitOne,
    startOf,
  },
  async () => {
    drain.abort();
    await worker?.stopped;
    await store?.[Symbol.asyncDispose]();
  },
);
