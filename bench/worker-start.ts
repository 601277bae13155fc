import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { loadConfig } from '../src/config/load-config.ts';
import { submitJobSchema } from '../src/contract/job.ts';
import type { ExecutionMode } from '../src/domain/launcher.ts';
import { followEvents } from '../src/service/jobs/follow-events.ts';
import { openCapstan, type Capstan } from '../src/service/open-capstan.ts';
import { capstanProgram } from '../src/service/program.ts';
import { submitJob } from '../src/service/jobs/submit-job.ts';
import { WorkerPoolManager } from '../src/service/fleet/worker-pool-manager.ts';
import { createLogger } from '../src/telemetry/create-logger.ts';
import { workerImage } from '../test/support/docker/worker-image.ts';
import { atMost, type Figure, type FigureContext } from './support/figure.ts';
import { median } from './support/statistics.ts';

const run = promisify(execFile);
const sizes = { full: { rounds: 8, jobs: 20 }, tiny: { rounds: 1, jobs: 2 } } as const;
const type = 'plantuml';
/** Of the pool, not of the measurement. */
const warmUpJobs = 3;

interface Times {
  readonly starts: number[];
  readonly jobs: number[];
}

export const workerStart: Figure = {
  name: 'worker-start',
  about: `From the call that starts a plantuml worker until it is registered and takes jobs: as a process, and in a container of the image of deploy/Dockerfile; beside it a bare \`docker run --rm IMAGE --version\`, which starts the same container and Node, and ends.
Then diagrams one by one, each from its submission to its end, by a warm worker of each mode on one data folder. Rounds alternate; medians.`,
  async run(context) {
    const { rounds, jobs } = sizes[context.scale];
    const image = await workerImage(type);
    const times: Record<ExecutionMode, Times> = {
      direct: { starts: [], jobs: [] },
      docker: { starts: [], jobs: [] },
    };
    const bare: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const mode of ['direct', 'docker'] as const)
        await measure(context, { mode, image, jobs, round, into: times[mode] });
      const began = performance.now();
      await run('docker', ['run', '--rm', '--network', 'none', image, '--version']);
      bare.push(performance.now() - began);
    }
    const [direct, docker] = [median(times.direct.starts), median(times.docker.starts)];
    return [
      atMost({ figure: 'start to registered, docker over direct', unit: 'ms', ours: docker, rival: direct }),
      atMost(
        {
          figure: 'start to registered in docker, over direct and a bare docker run one after the other',
          unit: 'ms',
          ours: docker,
          rival: direct + median(bare),
        },
        1.1,
      ),
      atMost(
        {
          figure: 'one diagram in docker, over direct',
          unit: 'ms',
          ours: median(times.docker.jobs),
          rival: median(times.direct.jobs),
        },
        1.2,
      ),
    ];
  },
};

interface Measurement {
  readonly mode: ExecutionMode;
  readonly image: string;
  readonly jobs: number;
  readonly round: number;
  readonly into: Times;
}

async function measure(context: FigureContext, { mode, image, jobs, round, into }: Measurement) {
  const dataDir = path.join(context.dir, `data-${round}`);
  await mkdir(dataDir, { recursive: true });
  const paths = { home: context.dir, userConfigFile: '', systemConfigFile: '', userDataDir: dataDir };
  const environment = { CAPSTAN_DATA: dataDir };
  const loaded = loadConfig({ flags: {}, environment, cwd: context.dir, paths });
  await using capstan = await openCapstan({
    config: loaded.config,
    profile: { openaiApiKey: null },
    logger: createLogger({ level: 'error', format: 'json', destination: process.stderr }),
    commandPath: process.env['PATH'] ?? '',
    environment: process.env,
  });
  const env = { ...environment, PATH: process.env['PATH'] ?? '', HOME: context.dir };
  await using pool = new WorkerPoolManager({
    capstan,
    loaded,
    surroundings: {
      program: capstanProgram,
      settings: [],
      env,
      cwd: context.dir,
      onLogLine: () => undefined,
    },
    workers: [{ type, count: 1, executionMode: mode, image }],
  });
  const began = performance.now();
  await pool.startPools(context.signal);
  into.starts.push(performance.now() - began);
  for (let job = -warmUpJobs; job < jobs; job += 1) {
    const file = path.join(context.dir, `${mode}-${round}-${job}.puml`);
    await writeFile(file, `@startuml\nA -> B : ${round} ${job}\nB --> A\n@enduml\n`);
    const tookMs = await draw(capstan, file, context.signal);
    if (job >= 0) into.jobs.push(tookMs);
  }
}

async function draw(capstan: Capstan, file: string, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  const input = { source: { file }, formats: ['svg'] };
  const { job } = await submitJob(capstan, submitJobSchema.parse({ type, input }));
  for await (const event of followEvents(capstan.store, job.id, { afterSeq: 0, follow: true, signal })) {
    if (event.type !== 'job.finished') continue;
    if (event.job.state !== 'succeeded') throw new Error(`${file}: ${JSON.stringify(event.job.failure)}`);
    break;
  }
  return performance.now() - began;
}
