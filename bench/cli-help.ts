import { spawnSync } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { atMost, type Figure, type FigureContext } from './support/figure.ts';
import { checkout, command } from './support/places.ts';
import { median } from './support/statistics.ts';

const rounds = { full: 40, tiny: 2 } as const;

export const cliHelp: Figure = {
  name: 'cli-help',
  about: `\`capstan --help\` over \`node -e 0\`, same Node, the checkout (sources, types stripped) and the built package (compiled, as it is published), both with Node's compile cache warm. Alternating; medians.`,
  async run(context) {
    const built = await buildPackage(context);
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: context.dir,
      XDG_CACHE_HOME: path.join(context.dir, 'cache'),
    };
    const run = (...args: readonly string[]): number => {
      const began = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
      return performance.now() - began;
    };
    for (let warm = 0; warm < 3; warm += 1) {
      run(command, '--help');
      run(built, '--help');
    }
    const took = { bare: [] as number[], checkout: [] as number[], built: [] as number[] };
    for (let round = 0; round < rounds[context.scale]; round += 1) {
      took.bare.push(run('-e', '0'));
      took.checkout.push(run(command, '--help'));
      took.built.push(run(built, '--help'));
    }
    const row = (what: string, ours: readonly number[]) =>
      atMost(
        {
          figure: `${what} --help, over node -e 0`,
          unit: 'ms',
          ours: median(ours),
          rival: median(took.bare),
        },
        2,
      );
    return [row('capstan of the checkout', took.checkout), row('capstan of the built package', took.built)];
  },
};

/** What npm would install, beside the checkout's dependencies; its command. */
async function buildPackage({ dir }: FigureContext): Promise<string> {
  const root = path.join(dir, 'package');
  await mkdir(root);
  for (const part of ['bin', 'package.json'])
    await cp(path.join(checkout, part), path.join(root, part), { recursive: true });
  await symlink(path.join(checkout, 'node_modules'), path.join(root, 'node_modules'));
  const compiler = path.join(checkout, 'node_modules/typescript/bin/tsc');
  const args = ['--project', 'tsconfig.build.json', '--outDir', path.join(root, 'dist')];
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...args], {
    cwd: checkout,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The package cannot be built:\n${stdout}`);
  return path.join(root, 'bin/capstan.js');
}
