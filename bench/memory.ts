import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Figure, FigureContext, Row } from './support/figure.ts';
import { oneCommand, startModel } from './support/model.ts';
import { site } from './support/places.ts';
import { startSide } from './support/side.ts';

interface Held {
  readonly rssMb: number;
  readonly descriptors: number;
}
interface Sample {
  readonly worker: Held;
  readonly agent: Held;
}

const concurrency = 4;
/** An app-server is replaced after 200 threads: from the hundredth of the first to its end, and the same of the third. */
const sizes = {
  full: { step: 20, first: [100, 200], last: [500, 600] },
  tiny: { step: 2, first: [0, 2], last: [2, 4] },
} as const;

export const memory: Figure = {
  name: 'memory',
  about: `Resident memory and descriptors of the worker (after a garbage collection) and of its app-server over 600 jobs, ${concurrency} at once: the most that was seen from job 500 to 600, beside the most from
job 100 to 200 (in the column of the rival). Both spans are the second half of an app-server's life of 200 threads. Flat: at most a fifth more memory and no more than 8 descriptors more.`,
  async run(context) {
    const { first, last } = sizes[context.scale];
    const samples = await sample(context);
    const most = ([from, to]: readonly [number, number], pick: (sample: Sample) => number): number =>
      Math.max(...samples.filter(({ jobs }) => jobs > from && jobs <= to).map(({ held }) => pick(held)));
    const row = (figure: string, unit: string, pick: (sample: Sample) => number): Row => {
      const rival = most(first, pick);
      const ours = most(last, pick);
      const goal = unit === 'MB' ? '≤ 1.2 ×' : '≤ 8 more';
      return {
        figure,
        unit,
        ours,
        rival,
        ratio: ours / rival,
        goal,
        met: unit === 'MB' ? ours <= 1.2 * rival : ours <= rival + 8,
      };
    };
    return [
      row('worker, memory late over early', 'MB', ({ worker }) => worker.rssMb),
      row('worker, descriptors late over early', 'descriptors', ({ worker }) => worker.descriptors),
      row('app-server, memory late over early', 'MB', ({ agent }) => agent.rssMb),
      row('app-server, descriptors late over early', 'descriptors', ({ agent }) => agent.descriptors),
    ];
  },
};

async function sample({ dir, scale, say }: FigureContext) {
  const { step, last } = sizes[scale];
  await using model = await startModel(dir, oneCommand);
  await using ours = startSide(new URL('./children/codex-side.ts', import.meta.url), {
    execArgv: ['--expose-gc'],
  });
  const dataDir = path.join(dir, 'data');
  await mkdir(dataDir);
  await ours.ask({ do: 'open', dataDir, baseUrl: model.baseUrl, concurrency });
  const samples: { readonly jobs: number; readonly held: Sample }[] = [];
  for (let jobs = step; jobs <= last[1]; jobs += step) {
    await ours.ask({ do: 'run', source: site, count: step, inFlight: concurrency });
    const held = await ours.ask<Sample>({ do: 'held' });
    samples.push({ jobs, held });
    const of = ({ rssMb, descriptors }: Held): string =>
      `${Math.round(rssMb)} MB, ${descriptors} descriptors`;
    say(`after ${jobs} jobs: worker ${of(held.worker)}; app-server ${of(held.agent)}`);
  }
  return samples;
}
