import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll } from 'vitest';
import { createLogger } from '../../src/telemetry/create-logger.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { submitJobSchema, type JobView } from '../../src/contract/job.ts';
import { cancelJob } from '../../src/service/jobs/cancel-job.ts';
import { followEvents } from '../../src/service/jobs/follow-events.ts';
import { openCapstan, type Capstan } from '../../src/service/open-capstan.ts';
import { startWorker } from '../../src/service/workers/start-worker.ts';
import { submitJob } from '../../src/service/jobs/submit-job.ts';
import type { WorkerType } from '../../src/service/types/worker-types.ts';
import { makeTree } from './scratch-folder.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

const limitMs = 50_000;

type OnConverting = (cancel: () => Promise<void>) => Promise<void>;

export interface ToolStage extends AsyncDisposable {
  readonly capstan: Capstan;
  readonly dir: TempDir;
  /** Submits a job and waits for its end. `onConverting` is called when the tool begins, and may cancel. */
  run(input: object, onConverting?: OnConverting): Promise<JobView>;
  /** `run` on a folder of its own that holds these files. */
  runOn(
    files: Readonly<Record<string, string>>,
    input?: object,
    onConverting?: OnConverting,
  ): Promise<JobView>;
  artifact(job: JobView, name: string): Promise<Buffer>;
}

export interface ToolStageOptions {
  /** Where tools are looked for. */
  readonly commandPath?: string;
  readonly maxAttempts?: number;
  /** Settings. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The real store and a real worker of one type in this process, on a data folder of its own. */
export async function openToolStage(type: WorkerType, options: ToolStageOptions = {}): Promise<ToolStage> {
  await using opening = new AsyncDisposableStack();
  const dir = opening.use(await tempDir());
  const paths = {
    home: dir.path,
    userConfigFile: dir.join('none'),
    systemConfigFile: dir.join('none'),
    userDataDir: dir.join('data'),
  };
  const { config } = loadConfig({ flags: {}, environment: options.environment ?? {}, cwd: dir.path, paths });
  const capstan = opening.use(
    await openCapstan({
      config,
      profile: { openaiApiKey: null },
      logger: createLogger({ level: 'silent', format: 'json', destination: process.stderr }),
      commandPath: options.commandPath ?? process.env['PATH'] ?? '',
    }),
  );
  const drain = new AbortController();
  const worker = await startWorker(capstan, { type }, { drain: drain.signal });
  opening.defer(async () => {
    drain.abort();
    await worker.stopped;
  });
  const held = opening.move();
  let sources = 0;
  const stage: ToolStage = {
    capstan,
    dir,
    async runOn(files, input = {}, onConverting) {
      sources += 1;
      const source = await makeTree(dir.join(`source-${String(sources)}`), files);
      return stage.run({ source: { dir: source }, ...input }, onConverting);
    },
    async run(input, onConverting) {
      const { maxAttempts = 3 } = options;
      const { job } = await submitJob(capstan, submitJobSchema.parse({ type, input, maxAttempts }));
      const signal = AbortSignal.timeout(limitMs);
      for await (const event of followEvents(capstan.store, job.id, { afterSeq: 0, follow: true, signal })) {
        if (event.type === 'job.finished') return event.job;
        if (event.type === 'job.phase' && event.phase === 'converting')
          await onConverting?.(async () => {
            await cancelJob(capstan.store, job.id);
          });
      }
      throw new Error(`job ${job.id} did not end within ${limitMs} ms`);
    },
    artifact: async (job, name) => buffer((await capstan.artifacts.open(job.id, name)).stream),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
  return stage;
}

/** One stage for all tests of the `describe` that asks for it. */
export function shareToolStage(type: WorkerType): () => ToolStage {
  let stage: ToolStage | null = null;
  beforeAll(async () => {
    stage = await openToolStage(type);
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
  });
  return () => {
    if (stage === null) throw new Error('the stage is open while tests run');
    return stage;
  };
}
