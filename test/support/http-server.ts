import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { createArtifactStorage, type ArtifactStorage } from '../../src/artifacts/artifact-storage.ts';
import type { WorkerId } from '../../src/domain/ids.ts';
import { emptyReport, type ClaimedJob } from '../../src/domain/job.ts';
import { buildServer } from '../../src/http/build-server.ts';
import type { GuardSettings } from '../../src/http/guard.ts';
import { listen } from '../../src/http/listen.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { codexJobType } from '../../src/service/types/codex-job-type.ts';
import type { JobServices } from '../../src/service/jobs/job-services.ts';
import type { JobType } from '../../src/service/types/job-types.ts';
import { createLogger } from '../../src/telemetry/create-logger.ts';
import { aClaim, openTestStore, type TestStore } from './test-store.ts';

export interface TestServer extends AsyncDisposable {
  readonly server: FastifyInstance;
  readonly services: JobServices;
  readonly artifacts: ArtifactStorage;
  readonly opened: TestStore;
  /** What the server logged, a line each. */
  readonly logLines: readonly string[];
  /** Says that the server stops, as a signal does. */
  stop(): void;
  /** Listens on a free port of loopback; gives the URL. */
  listen(): Promise<string>;
  submit(overrides?: object): Promise<string>;
  /** Claims the oldest waiting job as a worker would. */
  claim(): Promise<ClaimedJob>;
}

export interface TestServerOptions {
  readonly guard?: Partial<GuardSettings>;
  readonly keepAliveMs?: number;
}

/** The real server over a real store and real artifacts; of its job types, `noop` takes a text and `codex` is the real one. */
export async function openTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const opened = await openTestStore();
  const { store, dir } = opened;
  const artifacts = createArtifactStorage(dir.join('artifacts'));
  const noop = {
    inputSchema: z.strictObject({ text: z.string(), count: z.number().int().optional() }),
    prepare: async (_id: unknown, input: unknown) => input,
    discard: async () => {},
  };
  const services: JobServices = {
    store,
    artifacts,
    dataDir: dir.path,
    jobTypes: new Map<string, JobType>([
      ['noop', noop],
      ['codex', codexJobType({ dataDir: dir.path, artifacts, providerKey: null })],
    ]),
    clock: systemClock,
  };
  const logLines: string[] = [];
  const destination = { write: (line: string) => logLines.push(line) };
  const stopping = new AbortController();
  const server = await buildServer({
    jobs: services,
    logger: createLogger({ level: 'warn', format: 'json', destination }),
    guard: { host: '127.0.0.1', apiKey: null, allowedHosts: [], allowedOrigins: [], ...options.guard },
    version: '1.2.3',
    stopping: stopping.signal,
    ...(options.keepAliveMs === undefined ? {} : { keepAliveMs: options.keepAliveMs }),
  });
  return {
    server,
    services,
    artifacts,
    opened,
    logLines,
    stop: () => {
      stopping.abort();
    },
    listen: () => listen(server, { host: '127.0.0.1', port: 0 }),
    submit: async (overrides = {}) => {
      const payload = { type: 'noop', input: { text: 'do it' }, ...overrides };
      const answer = await server.inject({ method: 'POST', url: '/api/jobs', payload });
      return answer.json<{ id: string }>().id;
    },
    claim: async () => {
      const worker = 'worker-1' as WorkerId;
      const [claimed] = await store.claimJobs(aClaim(worker));
      if (claimed === undefined) throw new Error('no job waits');
      return claimed;
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await opened[Symbol.asyncDispose]();
    },
  };
}

/** Ends an attempt well, with artifacts where some are given. */
export async function finish(
  { opened, artifacts }: TestServer,
  { lease }: ClaimedJob,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const stored = await Promise.all(
    Object.entries(files).map(([name, content]) => artifacts.put(lease.jobId, name, Buffer.from(content))),
  );
  await opened.store.finishAttempt(lease, {
    kind: 'succeeded',
    report: { ...emptyReport, summary: 'Done.', artifacts: stored },
  });
}
