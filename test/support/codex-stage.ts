import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createAppServerDriver } from '../../src/codex/app-server/app-server-driver.ts';
import type { CodexProcessOptions } from '../../src/codex/codex-process-options.ts';
import type {
  AgentThreadRequest,
  AgentTurnResult,
  CodexDriver,
  StartedThread,
} from '../../src/codex/driver.ts';
import { createExecDriver } from '../../src/codex/exec/exec-driver.ts';
import { vendoredBinary } from '../../src/codex/vendored-binary.ts';
import type { JobEventBody } from '../../src/contract/event.ts';
import type { Logger } from '../../src/domain/logger.ts';
import { probeContainment, type Containment } from '../../src/supervisor/contain.ts';
import type { ScenarioInput } from '../scripted-model/scenario.ts';
import { startScriptedModel, type ScriptedModel } from '../scripted-model/start-scripted-model.ts';
import { tempDir } from './temp-dir.ts';

export const driverNames = ['app-server', 'exec'] as const;
export type DriverName = (typeof driverNames)[number];

export interface StageJob {
  readonly id: string;
  readonly workspaceDir: string;
  readonly homeDir: string;
  readonly tmpDir: string;
}

export interface StageRun {
  readonly result: AgentTurnResult;
  readonly events: readonly JobEventBody[];
  readonly thread: StartedThread;
}

/** A real Codex CLI behind one of our drivers, a scripted model, and a data folder laid out as the worker does it. */
export interface CodexStage extends AsyncDisposable {
  readonly driver: CodexDriver;
  readonly model: ScriptedModel;
  readonly options: CodexProcessOptions;
  readonly dataDir: string;
  /** Folders of a new job. */
  newJob(): Promise<StageJob>;
  request(job: StageJob, overrides?: Partial<AgentThreadRequest>): AgentThreadRequest;
  run(job: StageJob, overrides?: Partial<AgentThreadRequest>): Promise<StageRun>;
}

export interface StageOptions {
  /** What holds the agent's processes; the best there is when left out. */
  readonly held?: Containment['kind'];
  readonly threadsPerProcess?: number;
}

export const stageToken = 'capstan-test-token-5b1c9d';

const silent: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};

export async function openStage(
  name: DriverName,
  scenario: ScenarioInput,
  { held, ...driverOptions }: StageOptions = {},
): Promise<CodexStage> {
  const stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir('cache'));
  const model = stack.use(await startScriptedModel({ scenario }));
  const codexBin = vendoredBinary(import.meta.filename);
  if (codexBin === null) throw new Error('the pinned @openai/codex is not installed');
  const options: CodexProcessOptions = {
    codexBin,
    codexHome: dir.join('codex'),
    dataDir: dir.path,
    scratchDir: dir.join('scratch'),
    commandPath: process.env['PATH'] ?? '',
    containment:
      held === 'process_group'
        ? { kind: 'process_group', prefix: [], why: 'the test says so' }
        : await probeContainment(AbortSignal.timeout(10_000)),
    logger: silent,
  };
  const driver = stack.use(
    name === 'exec' ? createExecDriver(options) : createAppServerDriver({ ...options, ...driverOptions }),
  );
  await driver.start(AbortSignal.timeout(30_000));
  let jobs = 0;

  const stage: CodexStage = {
    driver,
    model,
    options,
    dataDir: dir.path,
    async newJob() {
      jobs += 1;
      const id = `job-${path.basename(dir.path)}-${jobs}`;
      const job = dir.join('jobs', id);
      const homeDir = path.join(job, 'home');
      const folders = {
        workspaceDir: path.join(job, 'workspace'),
        homeDir,
        tmpDir: path.join(homeDir, 'tmp'),
      };
      await mkdir(folders.workspaceDir, { recursive: true });
      await mkdir(folders.tmpDir, { recursive: true });
      return { id, ...folders };
    },
    request: (job, overrides = {}) => ({
      jobId: job.id,
      attempt: 1,
      workspaceDir: job.workspaceDir,
      homeDir: job.homeDir,
      tmpDir: job.tmpDir,
      prompt: 'go',
      model: 'gpt-5.5',
      sandboxMode: 'workspace-write',
      network: false,
      provider: { baseUrl: model.baseUrl, token: stageToken },
      deniedPaths: [dir.path],
      resume: null,
      signal: AbortSignal.timeout(50_000),
      onEvent: () => {},
      onThread: async () => {},
      ...overrides,
    }),
    async run(job, overrides = {}) {
      const events: JobEventBody[] = [];
      const threads: StartedThread[] = [];
      const result = await driver.runThread(
        stage.request(job, {
          ...overrides,
          onEvent: (event) => {
            events.push(event);
            overrides.onEvent?.(event);
          },
          onThread: async (started) => {
            threads.push(started);
            await overrides.onThread?.(started);
          },
        }),
      );
      const [thread] = threads;
      if (thread === undefined) throw new Error('the driver named no thread');
      return { result, events, thread };
    },
    async [Symbol.asyncDispose]() {
      await stack.disposeAsync();
    },
  };
  return stage;
}

/** A scenario of one conversation: these commands, one call each, then a last word. */
export function commandsThenText(
  ...commands: readonly (string | { cmd: string; yieldTimeMs: number })[]
): ScenarioInput {
  return {
    conversations: [{ turns: [...commands.map((command) => ({ commands: [command] })), { text: 'done' }] }],
  };
}

export interface SeenProcess {
  readonly pid: number;
  readonly args: readonly string[];
  readonly environ: readonly string[];
}

/** Every process whose arguments and environment may be read, but this one. */
export async function seeProcesses(): Promise<SeenProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const seen = await Promise.all(
    pids.map(async (pid) => {
      const [args, environ] = await Promise.all([readParts(pid, 'cmdline'), readParts(pid, 'environ')]);
      return { pid, args, environ };
    }),
  );
  return seen.filter(({ pid, args }) => pid !== process.pid && args.length > 0);
}

/** The processes of one attempt, zombies left out. */
export async function aliveOf(job: StageJob, attempt = 1): Promise<SeenProcess[]> {
  const mark = `CAPSTAN_ATTEMPT=${job.id}:${attempt}`;
  return (await seeProcesses()).filter(({ environ }) => environ.includes(mark));
}

async function readParts(pid: number, file: string): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  return text.split('\0').filter((part) => part !== '');
}
