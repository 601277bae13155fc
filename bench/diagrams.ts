import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { loadConfig } from '../src/config/load-config.ts';
import { submitJobSchema } from '../src/contract/job.ts';
import { findPlantuml } from '../src/runners/plantuml/find-plantuml.ts';
import { followEvents } from '../src/service/jobs/follow-events.ts';
import { openCapstan, type Capstan } from '../src/service/open-capstan.ts';
import { startWorker } from '../src/service/workers/start-worker.ts';
import { submitJob } from '../src/service/jobs/submit-job.ts';
import { createLogger } from '../src/telemetry/create-logger.ts';
import { atMost, type Figure, type FigureContext } from './support/figure.ts';
import { percentile } from './support/statistics.ts';

const run = promisify(execFile);
const sizes = { full: { diagrams: 100, rounds: 3 }, tiny: { diagrams: 4, rounds: 1 } } as const;

interface Files {
  readonly folder: string;
  readonly names: readonly string[];
}

export const diagrams: Figure = {
  name: 'diagrams',
  about: `100 PlantUML diagrams, half of them sequence, half class diagrams (which need Graphviz), as svg. Ours: one job a diagram through the store, a worker with one warm JVM, each svg synced to disk as an artifact;
from the first submission to the last job's end, and with the worker's start before it. Rival: one JVM that is given all files at once, its start included. Medians of three rounds that alternate. One JVM a diagram: one round.`,
  async run(context) {
    const { rounds } = sizes[context.scale];
    const files = await makeFiles(context);
    const { java, jar } = await findPlantuml({ path: process.env['PATH'] ?? '' }, context.signal);
    const jvm = async (inputs: readonly string[]): Promise<void> => {
      const out = path.join(context.dir, 'out');
      await run(java, [
        '-Djava.awt.headless=true',
        '-jar',
        jar,
        '-tsvg',
        '-nometadata',
        '-o',
        out,
        ...inputs,
      ]);
    };
    const paths = files.names.map((name) => path.join(files.folder, name));
    const times = { warm: [] as number[], cold: [] as number[], batch: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      const ours = await runJobs(context, files, round);
      times.warm.push(ours.warmMs);
      times.cold.push(ours.coldMs);
      times.batch.push(await took(() => jvm(paths)));
      context.say(
        `round ${round + 1}: ${Object.values(times)
          .map((each) => `${(each.at(-1) ?? 0).toFixed(0)} ms`)
          .join(', ')}`,
      );
    }
    const each = await took(async () => {
      for (const file of paths) await jvm([file]);
    });
    const median = (values: readonly number[]): number => percentile([...values], 0.5);
    const batch = median(times.batch);
    return [
      atMost(
        {
          figure: `${paths.length} diagrams on a running worker, one batch JVM`,
          unit: 'ms',
          ours: median(times.warm),
          rival: batch,
        },
        1.1,
      ),
      atMost({
        figure: `${paths.length} diagrams with the worker's start, one batch JVM`,
        unit: 'ms',
        ours: median(times.cold),
        rival: batch,
      }),
      atMost({
        figure: `${paths.length} diagrams on a running worker, one JVM each`,
        unit: 'ms',
        ours: median(times.warm),
        rival: each,
      }),
    ];
  },
};

async function makeFiles({ dir, scale }: FigureContext): Promise<Files> {
  const folder = path.join(dir, 'diagrams');
  await mkdir(folder);
  const names = Array.from(
    { length: sizes[scale].diagrams },
    (_, index) => `d${String(index).padStart(3, '0')}.puml`,
  );
  for (const [index, name] of names.entries()) {
    const lines =
      index % 2 === 0
        ? Array.from(
            { length: 15 },
            (_, line) => `A${line % 5} -> B${(line + index) % 7} : m${line} ${index}`,
          )
        : Array.from(
            { length: 8 },
            (_, line) =>
              `class C${line} {\n +f${line}: int\n +m${index}()\n}\nC${line} --> C${(line * 3 + index) % 8}`,
          );
    await writeFile(path.join(folder, name), `@startuml\n${lines.join('\n')}\n@enduml\n`);
  }
  return { folder, names };
}

async function runJobs({ dir, signal }: FigureContext, files: Files, round: number) {
  const dataDir = path.join(dir, `data-${round}`);
  const none = path.join(dir, 'none');
  const paths = { home: dir, userConfigFile: none, systemConfigFile: none, userDataDir: dataDir };
  const { config } = loadConfig({ flags: {}, environment: {}, cwd: dir, paths });
  await using capstan = await openCapstan({
    config,
    profile: { openaiApiKey: null },
    logger: createLogger({ level: 'error', format: 'text', destination: process.stderr }),
    commandPath: process.env['PATH'] ?? '',
  });
  const drain = new AbortController();
  const began = performance.now();
  const worker = await startWorker(capstan, { type: 'plantuml', concurrency: 4 }, { drain: drain.signal });
  try {
    const startMs = performance.now() - began;
    const warmMs = await took(() => drawAll(capstan, files, signal));
    return { warmMs, coldMs: startMs + warmMs };
  } finally {
    drain.abort();
    await worker.stopped;
  }
}

async function drawAll(capstan: Capstan, { folder, names }: Files, signal: AbortSignal): Promise<void> {
  const jobs = await Promise.all(
    names.map((name) =>
      submitJob(
        capstan,
        submitJobSchema.parse({ type: 'plantuml', input: { source: { file: path.join(folder, name) } } }),
      ),
    ),
  );
  for (const { job } of jobs) {
    for await (const event of followEvents(capstan.store, job.id, { afterSeq: 0, follow: true, signal })) {
      if (event.type !== 'job.finished') continue;
      if (event.job.state !== 'succeeded')
        throw new Error(`a diagram failed: ${JSON.stringify(event.job.failure)}`);
    }
  }
}

async function took(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
