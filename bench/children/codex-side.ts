/** Our side of Codex's figures: everything that `capstan serve` has for jobs, in one process, with the real Codex under it. */
import { homedir } from 'node:os';
import { readdirSync, readFileSync } from 'node:fs';
import { loadConfig } from '../../src/config/load-config.ts';
import { loadProfile } from '../../src/config/load-profile.ts';
import { platformPaths } from '../../src/config/platform-paths.ts';
import { submitJobSchema } from '../../src/contract/job.ts';
import { toJobView } from '../../src/domain/job-view.ts';
import { childPids } from '../../src/runtime/process-stat.ts';
import { followEvents } from '../../src/service/jobs/follow-events.ts';
import { openCapstan, type Capstan } from '../../src/service/open-capstan.ts';
import { startCodexWorker } from '../../src/service/workers/start-codex-worker.ts';
import type { LocalWorker } from '../../src/service/workers/start-local-worker.ts';
import { submitJob } from '../../src/service/jobs/submit-job.ts';
import { createLogger } from '../../src/telemetry/create-logger.ts';
import { answer } from '../support/answer.js';
import { key } from '../support/places.ts';

interface Place {
  readonly dataDir: string;
  readonly baseUrl: string;
  readonly concurrency: number;
}

interface Jobs {
  readonly source: string;
  readonly count: number;
  readonly inFlight: number;
}

const drain = new AbortController();
let capstan: Capstan | null = null;
let worker: LocalWorker | null = null;

async function open({ dataDir, baseUrl, concurrency }: Place): Promise<void> {
  const environment = { CAPSTAN_DATA: dataDir, CAPSTAN_CODEX__BASE_URL: baseUrl, OPENAI_API_KEY: key };
  const paths = platformPaths({ name: process.platform, home: homedir(), environment });
  const { config } = loadConfig({ flags: {}, environment, cwd: dataDir, paths });
  capstan = await openCapstan({
    config,
    profile: loadProfile(environment),
    logger: createLogger({ level: 'error', format: 'text', destination: process.stderr }),
    commandPath: process.env['PATH'] ?? '',
  });
  worker = await startCodexWorker(capstan, { concurrency, drainGraceMs: 0 }, { drain: drain.signal });
}

/** Runs jobs, `inFlight` at a time, each from its submission to its end in the store; every one has to have made its change. */
async function run({
  source,
  count,
  inFlight,
}: Jobs): Promise<{ readonly tookMs: number; readonly eachMs: number[] }> {
  const began = performance.now();
  const eachMs: number[] = [];
  let left = count;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left > 0) {
        left -= 1;
        eachMs.push(await runOne(source));
      }
    }),
  );
  return { tookMs: performance.now() - began, eachMs };
}

async function runOne(source: string): Promise<number> {
  if (capstan === null) throw new Error('not open');
  const began = performance.now();
  const input = { prompt: 'Add the hours', source: { dir: source } };
  const { job } = await submitJob(capstan, submitJobSchema.parse({ type: 'codex', input }));
  const signal = AbortSignal.timeout(120_000);
  for await (const event of followEvents(capstan.store, job.id, { afterSeq: 0, follow: true, signal })) {
    if (event.type === 'job.finished') break;
  }
  const ended = await capstan.store.getJob(job.id);
  const view = ended && toJobView(ended, Date.now());
  if (view?.state !== 'succeeded' || view.filesChanged.length !== 1)
    throw new Error(`A job of the bench went wrong: ${JSON.stringify(view)}`);
  return performance.now() - began;
}

interface Held {
  readonly rssMb: number;
  readonly descriptors: number;
}

/** What this process, after a collection where it may ask for one, and the app-server under it hold now. */
function held(): { readonly worker: Held; readonly agent: Held } {
  globalThis.gc?.();
  return { worker: heldBy(process.pid), agent: heldBy(appServer(process.pid) ?? 0) };
}

function heldBy(pid: number): Held {
  try {
    const kb = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    return { rssMb: Number(kb) / 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    // Between two app-servers there is none.
    return { rssMb: 0, descriptors: 0 };
  }
}

/** The youngest app-server: one that runs out its last jobs may stand beside it. */
function appServer(root: number): number | null {
  const found = childPids(root).map((pid) => {
    const name = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return name[0]?.endsWith('/codex') === true && name[1] === 'app-server' ? pid : appServer(pid);
  });
  return found.findLast((pid) => pid !== null) ?? null;
}

answer({ open, run, held }, async () => {
  drain.abort();
  await worker?.stopped;
  await capstan?.[Symbol.asyncDispose]();
});
