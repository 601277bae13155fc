import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createCpuMeter } from './support/cpu-meter.ts';
import { atMost, below, type Figure, type FigureContext } from './support/figure.ts';
import { command } from './support/places.ts';
import { median } from './support/statistics.ts';

const sizes = { full: { inputs: 1_000, rounds: 15 }, tiny: { inputs: 10, rounds: 2 } } as const;

export const buildRebuild: Figure = {
  name: 'build-rebuild',
  about: `\`capstan build\` of 1,000 PlantUML diagrams where nothing has changed, the whole command from its start to its exit: the manifest is read, each input, each output and the tool
are looked at, keys are reckoned and compared. Beside it \`node -e 0\`, which is the part that no command of ours can save, and GNU make on the same files with a rule that makes an svg of each: make
compares the times of two files a target and knows nothing of their bytes, of options, tools or an output that somebody changed. Alternating; medians.`,
  async run(context) {
    const { inputs, rounds } = sizes[context.scale];
    const project = await makeProject(context, inputs);
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: context.dir,
      CAPSTAN_DATA: path.join(context.dir, 'data'),
    };
    await using meters = new AsyncDisposableStack();
    const meterOf = { ours: meters.use(createCpuMeter()), make: meters.use(createCpuMeter()) };
    const run = (who: keyof typeof meterOf, words: readonly [string, ...string[]]): Took => {
      const meter = meterOf[who];
      const [program, ...args] = meter.wrap(words[0], words.slice(1));
      const before = meter.readMs();
      const began = performance.now();
      const { status, stderr } = spawnSync(program, args, { cwd: project, env, encoding: 'utf8' });
      const wallMs = performance.now() - began;
      if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
      return { wallMs, cpuMs: meter.readMs() - before };
    };
    const build = [process.execPath, command, 'build', '--output', 'quiet'] as const;
    const first = run('ours', build);
    context.say(`first build: ${first.wallMs.toFixed(0)} ms`);
    // Two more: the first that finds all unchanged still remembers something.
    run('ours', build);
    const took = { ours: [] as Took[], make: [] as Took[], node: [] as Took[] };
    for (let round = 0; round < rounds; round += 1) {
      took.ours.push(run('ours', build));
      took.make.push(run('make', ['make', '--silent']));
      took.node.push(run('make', [process.execPath, '-e', '0']));
    }
    const of = (who: readonly Took[], what: keyof Took): number => median(who.map((each) => each[what]));
    const figure = `unchanged rebuild of ${inputs} jobs`;
    return [
      below(
        {
          figure: `${figure}, make`,
          unit: 'ms',
          ours: of(took.ours, 'wallMs'),
          rival: of(took.make, 'wallMs'),
        },
        300,
      ),
      atMost({
        figure: `processor time, make`,
        unit: 'ms',
        ours: of(took.ours, 'cpuMs'),
        rival: of(took.make, 'cpuMs'),
      }),
      atMost({
        figure: `${figure}, node -e 0`,
        unit: 'ms',
        ours: of(took.ours, 'wallMs'),
        rival: of(took.node, 'wallMs'),
      }),
    ];
  },
};

interface Took {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function makeProject({ dir }: FigureContext, inputs: number): Promise<string> {
  const project = path.join(dir, 'project');
  await mkdir(path.join(project, 'diagrams'), { recursive: true });
  for (let index = 0; index < inputs; index += 1) {
    const name = `d${String(index).padStart(4, '0')}.puml`;
    await writeFile(path.join(project, 'diagrams', name), `@startuml\nA -> B : ${index}\n@enduml\n`);
  }
  await writeFile(
    path.join(project, 'course.yaml'),
    'jobs:\n  - { type: plantuml, input: "diagrams/*.puml" }\n',
  );
  await writeFile(
    path.join(project, 'Makefile'),
    'all: $(patsubst %.puml,dist/%.svg,$(wildcard diagrams/*.puml))\ndist/%.svg: %.puml\n\tfalse\n',
  );
  return project;
}
