import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { CodexJobInput } from '../../../src/contract/codex-job.ts';
import { jobEventSchema, type JobEvent } from '../../../src/contract/event.ts';
import { submitJobSchema, type JobView, type SubmitJob } from '../../../src/contract/job.ts';
import type { JobId } from '../../../src/domain/ids.ts';
import type { Job } from '../../../src/domain/job.ts';
import type { ProcessIdentity } from '../../../src/domain/worker.ts';
import { isAlive } from '../../../src/runtime/process-identity.ts';
import { toJobView } from '../../../src/domain/job-view.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { loadProfile } from '../../../src/config/load-profile.ts';
import { platformPaths } from '../../../src/config/platform-paths.ts';
import { followEvents } from '../../../src/service/jobs/follow-events.ts';
import { openCapstan, type Capstan } from '../../../src/service/open-capstan.ts';
import { submitJob } from '../../../src/service/jobs/submit-job.ts';
import { createLogger } from '../../../src/telemetry/create-logger.ts';
import type { ScenarioInput } from '../../scripted-model/scenario.ts';
import { startScriptedModel, type ScriptedModel } from '../../scripted-model/start-scripted-model.ts';
import { killQuietly } from '../../support/kill-quietly.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startCommand, type Command } from './command.ts';
import { processesIn, running, type SeenProcess } from './processes.ts';
import { prompt } from './steps.ts';

/** Long enough for a busy machine; nothing is ever expected to take it. */
const limitMs = 30_000;
const polling = { timeout: limitMs, interval: 20 };

export interface Stage extends AsyncDisposable {
  readonly model: ScriptedModel;
  readonly capstan: Capstan;
  readonly dataDir: string;
  /** The folder that jobs work on. */
  readonly site: string;
  /** Starts a command on this stage's data folder, with a HOME of its own. */
  start(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
    through?: readonly string[],
  ): Command;
  /** Starts `capstan worker` and waits until it takes jobs. */
  worker(env?: Readonly<Record<string, string>>, through?: readonly string[]): Promise<Command>;
  /** Starts `capstan run --json` on the site; `id` is that of its job. */
  run(
    args?: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ readonly command: Command; readonly id: JobId }>;
  /** Starts `capstan serve`; `url` is where it serves. */
  serve(env?: Readonly<Record<string, string>>): Promise<{ readonly command: Command; readonly url: string }>;
  submit(input?: Partial<CodexJobInput>, rest?: Partial<SubmitJob>): Promise<JobId>;
  /** An event of the job that fits: one that was or will be. */
  event(id: JobId, wanted: (event: JobEvent) => boolean): Promise<JobEvent>;
  /** The job when it has ended. */
  ended(id: JobId): Promise<JobView>;
  job(id: JobId): Promise<JobView>;
  events(id: JobId): Promise<readonly JobEvent[]>;
  artifact(id: JobId, name: string): Promise<string>;
  /** How often the model was asked for each of its turns. */
  calls(): readonly number[];
  /** The pid of the one process that runs `words` in this stage. */
  pid(...words: readonly string[]): Promise<number>;
  /** Resolves when no process runs `words` in this stage. */
  gone(...words: readonly string[]): Promise<void>;
  /** What a folder of the data folder holds; empty where there is none. */
  names(folder: string): Promise<readonly string[]>;
  /** Resolves when nothing but `names` is left of a job in the data folder, artifacts aside, and no scratch of anybody. */
  cleaned(id: JobId, ...names: readonly string[]): Promise<void>;
}

/** Everything of one test: a scripted model, a data folder, a site. When disposed, no process of it is left or the test fails. */
export async function openStage(scenario: ScenarioInput): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  // Under the temporary folder Codex refuses its helpers.
  const dir = opening.use(await tempDir('cache'));
  const model = opening.use(await startScriptedModel({ scenario }));
  const [dataDir, site, home] = [dir.join('data'), dir.join('site'), dir.join('home')];
  await Promise.all([mkdir(site), mkdir(home)]);
  await writeFile(path.join(site, 'index.html'), '<h1>Site</h1>\n');
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    CAPSTAN_DATA: dataDir,
    CAPSTAN_CODEX__BASE_URL: model.baseUrl,
    CAPSTAN_LOG__LEVEL: 'info',
    OPENAI_API_KEY: 'sk-a-key-that-opens-nothing',
  };
  const paths = platformPaths({ name: process.platform, home, environment });
  const { config } = loadConfig({ flags: {}, environment, cwd: site, paths });
  const logger = createLogger({ level: 'silent', format: 'json', destination: process.stderr });
  const capstan = opening.use(
    await openCapstan({ config, logger, profile: loadProfile(environment), commandPath: environment.PATH }),
  );
  const { store, artifacts } = capstan;
  const commands: Command[] = [];
  opening.defer(async () => {
    // The last to be started first: who supervises must not start another one meanwhile.
    await Promise.all(commands.map((command) => command[Symbol.asyncDispose]()));
    await noneIn(dir.path);
  });
  const held = opening.move();

  async function event(id: JobId, wanted: (event: JobEvent) => boolean): Promise<JobEvent> {
    const signal = AbortSignal.timeout(limitMs);
    for await (const each of followEvents(store, id, { afterSeq: 0, follow: true, signal }))
      if (wanted(each)) return each;
    const seen = await store.listEvents(id, 0, 100);
    throw new Error(`no such event; there were:\n${seen.map((each) => JSON.stringify(each)).join('\n')}`);
  }
  async function job(id: JobId): Promise<JobView> {
    const found = await store.getJob(id);
    if (found === null) throw new Error(`no job ${id}`);
    return toJobView(found, capstan.clock());
  }
  function start(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    through: readonly string[] = [],
  ): Command {
    const command = startCommand(args, { cwd: site, env: { ...environment, ...env }, through });
    commands.push(command);
    return command;
  }

  return {
    model,
    capstan,
    dataDir,
    site,
    start,
    async worker(env, through) {
      const command = start(['worker'], env, through);
      await command.line('Worker ready');
      return command;
    },
    async run(args = [], env = {}) {
      const command = start(['run', prompt, '--dir', site, '--json', ...args], env);
      const accepted = jobEventSchema.parse(JSON.parse(await command.line('"job.accepted"')));
      return { command, id: accepted.jobId as JobId };
    },
    async serve(env) {
      const command = start(['serve', '--port', '0'], env);
      const line = await command.line('Capstan serves');
      return { command, url: /http:\S+/.exec(line)?.[0] ?? '' };
    },
    async submit(input = {}, rest = {}) {
      const request = { type: 'codex', input: { prompt, source: { dir: site }, ...input }, ...rest };
      const submitted = await submitJob(capstan, submitJobSchema.parse(request));
      return submitted.job.id;
    },
    event,
    async ended(id) {
      await event(id, ({ type }) => type === 'job.finished');
      return job(id);
    },
    job,
    events: (id) => store.listEvents(id, 0, 10_000),
    artifact: (id, name) => readFile(artifacts.path(id, name), 'utf8'),
    calls() {
      const turns = model.requests.map(({ turn }) => turn).filter((turn) => turn >= 0);
      return Array.from(
        { length: Math.max(...turns, -1) + 1 },
        (_, at) => turns.filter((turn) => turn === at).length,
      );
    },
    async pid(...words) {
      let found: readonly SeenProcess[] = [];
      const look = (): typeof found => (found = running(dir.path, ...words));
      await expect.poll(look, polling).toHaveLength(1);
      const [{ pid }] = found as readonly [SeenProcess];
      return pid;
    },
    async gone(...words) {
      await expect.poll(() => running(dir.path, ...words), polling).toEqual([]);
    },
    names: (folder) => namesIn(path.join(dataDir, folder)),
    async cleaned(id, ...names) {
      const left = async (): Promise<unknown> => ({
        job: await namesIn(path.join(dataDir, 'jobs', id)),
        outbox: await namesIn(path.join(dataDir, 'outbox')),
        staging: await namesIn(path.join(dataDir, 'tmp')),
        partial: (await namesIn(path.join(dataDir, 'artifacts', id))).filter((name) => name.startsWith('.')),
        threads: await threadsOf(capstan, await store.getJob(id)),
        scratch: await deadScratch(path.join(dataDir, 'scratch')),
      });
      const nothing = { outbox: [], staging: [], partial: [], threads: [], scratch: [] };
      await expect.poll(left, polling).toEqual({ job: names, ...nothing });
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** Sorted; empty for a folder that is not there. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return existsSync(folder) ? (await readdir(folder)).sort() : [];
}

/** Rollout files that name the job's workspace: those of all its threads. */
async function threadsOf({ config }: Capstan, job: Job | null): Promise<readonly string[]> {
  const sessions = path.join(config.codex.home, 'sessions');
  const files = existsSync(sessions) ? await readdir(sessions, { recursive: true, withFileTypes: true }) : [];
  const rollouts = files.filter((file) => file.isFile()).map((file) => path.join(file.parentPath, file.name));
  const texts = await Promise.all(rollouts.map((file) => readFile(file, 'utf8').catch(() => '')));
  return rollouts.filter((_, at) => job !== null && texts[at]?.includes(job.id));
}

/** Scratch of processes that are gone. */
async function deadScratch(folder: string): Promise<readonly string[]> {
  const names = await namesIn(folder);
  const owners = await Promise.all(
    names.map((name) => readFile(path.join(folder, name, 'owner.json'), 'utf8').catch(() => null)),
  );
  return names.filter((_, at) => {
    const owner = owners[at] ?? null;
    return owner !== null && !isAlive(JSON.parse(owner) as ProcessIdentity);
  });
}

/** What lost its parent to a kill is on its way out; whatever stays is what these tests are there to find. */
async function noneIn(folder: string): Promise<void> {
  try {
    await expect
      .poll(() => processesIn(folder).map(({ pid, args }) => `${String(pid)}: ${args.join(' ')}`), polling)
      .toEqual([]);
  } finally {
    for (const { pid } of processesIn(folder)) killQuietly(pid);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
