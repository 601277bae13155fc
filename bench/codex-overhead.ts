import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findCodex } from '../src/codex/find-codex.ts';
import { permissionProfile } from '../src/codex/permission-profile.ts';
import { createCpuMeter } from './support/cpu-meter.ts';
import { atMost, type Figure, type FigureContext, type Row } from './support/figure.ts';
import { oneCommand, startModel } from './support/model.ts';
import { key, site, workspacePlaceholder } from './support/places.ts';
import { startSide } from './support/side.ts';
import { median } from './support/statistics.ts';

const sizes = { full: { jobs: 24, rounds: 5 }, tiny: { jobs: 1, rounds: 1 } } as const;

export const codexOverhead: Figure = {
  name: 'codex-overhead',
  about: `One job: one shell command and two calls of the scripted model (a process of its own that counts on no side), on a copy of \`examples/site\`. Ours: a warm worker with everything: accepted through \`submitJob\` (source copied, row synced), claimed,
workspace and HOME laid out, a thread in the app-server behind the model proxy, events stored, the real difference, patch, result archive and transcript as artifacts, the end synced and seen by a follower. The rival: bare
\`codex exec --json\` in a folder that is there already, persisted sessions, CODEX_HOME and HOME of its own, and none of that around it. The goal is about the rival with the same permission profile as our threads, in folders that it is told not to trust and around which it, as ours, looks for no repository; for information beside it the one with Codex's own
\`workspace-write\`, which hides no folder: with a denied folder Codex starts the sandbox two more times a thread, only to look for \`.agents/skills\`. Processor time is that of the whole tree on each side (see the method below); our Node process is
in it, the small program that starts the rival's processes is not. Rounds alternate; medians of the rounds.`,
  async run(context) {
    await using model = await startModel(context.dir, oneCommand);
    const rows: Row[] = [];
    for (const concurrency of context.scale === 'full' ? [1, 8] : [1])
      rows.push(...(await compare(context, model.baseUrl, concurrency)));
    return rows;
  },
};

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** `same profile`: what our threads are given; `workspace-write`: Codex's own mode, which hides nothing and so costs less. */
type Sandbox = 'same profile' | 'workspace-write';
const sandboxes: readonly Sandbox[] = ['same profile', 'workspace-write'];

async function compare(
  context: FigureContext,
  baseUrl: string,
  concurrency: number,
): Promise<readonly Row[]> {
  const { jobs, rounds } = sizes[context.scale];
  const count = context.scale === 'full' ? 2 * concurrency + 6 : 1;
  await using sides = new AsyncDisposableStack();
  const ours = sides.use(await startOurs(context, { baseUrl, concurrency }));
  const rivals: Contestant[] = [];
  for (const sandbox of sandboxes)
    rivals.push(sides.use(await startRival(context, { baseUrl, concurrency, sandbox })));
  for (const each of [ours, ...rivals]) await each.run(count);

  const costs = new Map<Contestant, Cost[]>([ours, ...rivals].map((each) => [each, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [each, its] of costs) its.push(await costOf(each, jobs));
    const shown = Array.from(costs, ([{ name }, its]) => `${name} ${describe(its.at(-1))}`);
    context.say(`${concurrency} at once, a job: ${shown.join('; ')}`);
  }
  const middle = (each: Contestant, pick: (cost: Cost) => number): number =>
    median((costs.get(each) ?? []).map(pick));
  return rivals.flatMap((rival, index) =>
    (['wallMs', 'cpuMs'] as const).map((what) =>
      atMost(
        {
          figure: `${what === 'wallMs' ? 'wall' : 'processor time'} of a job, ${concurrency} at once, over ${rival.name}`,
          unit: 'ms',
          ours: middle(ours, (cost) => cost[what]),
          rival: middle(rival, (cost) => cost[what]),
        },
        ...(index === 0 ? [0.6] : []),
      ),
    ),
  );
}

interface Contestant extends AsyncDisposable {
  readonly name: string;
  run(count: number): Promise<unknown>;
  readCpuMs(): number;
}

const describe = (cost: Cost | undefined): string =>
  `${Math.round(cost?.wallMs ?? 0)} ms, processor ${Math.round(cost?.cpuMs ?? 0)} ms`;

async function costOf(each: Contestant, jobs: number): Promise<Cost> {
  const cpuBefore = each.readCpuMs();
  const began = performance.now();
  await each.run(jobs);
  const wallMs = (performance.now() - began) / jobs;
  return { wallMs, cpuMs: (each.readCpuMs() - cpuBefore) / jobs };
}

interface Place {
  readonly baseUrl: string;
  readonly concurrency: number;
}

async function startOurs({ dir }: FigureContext, { baseUrl, concurrency }: Place): Promise<Contestant> {
  const dataDir = path.join(dir, `data-${concurrency}`);
  await mkdir(dataDir);
  await using opening = new AsyncDisposableStack();
  const meter = opening.use(createCpuMeter());
  const side = opening.use(startSide(new URL('./children/codex-side.ts', import.meta.url)));
  meter.add(side.pid);
  await side.ask({ do: 'open', dataDir, baseUrl, concurrency });
  const open = opening.move();
  return {
    name: 'ours',
    run: (count) => side.ask({ do: 'run', source: site, inFlight: concurrency, count }),
    readCpuMs: () => meter.readMs(),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function startRival(
  context: FigureContext,
  place: Place & { readonly sandbox: Sandbox },
): Promise<Contestant> {
  const { sandbox, concurrency } = place;
  const root = path.join(context.dir, `exec-${concurrency}-${sandbox.replace(' ', '-')}`);
  const codexHome = path.join(root, 'codex');
  const home = path.join(root, 'home');
  for (const folder of [codexHome, home]) await mkdir(folder, { recursive: true });
  const workspaces = Array.from({ length: concurrency }, (_, index) => path.join(root, `workspace-${index}`));
  for (const workspace of workspaces) await cp(site, workspace, { recursive: true });
  await writeFile(path.join(codexHome, 'config.toml'), configToml(place.baseUrl));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    CODEX_HOME: codexHome,
    SCRIPTED_KEY: key,
    LANG: 'C.UTF-8',
    // As for our threads: the checkout that the bench lies in is none of a job's.
    GIT_CEILING_DIRECTORIES: root,
  };
  const { path: codex } = await findCodex({ bin: null, path: env.PATH, signal: context.signal });
  const mode = sandbox === 'workspace-write' ? ['--sandbox', 'workspace-write'] : profileArgs(root, home);

  await using opening = new AsyncDisposableStack();
  const meter = opening.use(createCpuMeter());
  const side = opening.use(startSide(new URL('./children/exec-side.ts', import.meta.url)));
  if (meter.method === 'proc') meter.add(side.pid);
  const command = meter.wrap(codex, ['exec', '--json', '--skip-git-repo-check', ...mode]);
  const open = opening.move();
  return {
    name: `codex exec, ${sandbox}`,
    run: (count) => side.ask({ do: 'run', workspaces, env, command, count }),
    readCpuMs: () => meter.readMs(),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function configToml(baseUrl: string): string {
  return `model = "gpt-5.5"
approval_policy = "never"
model_provider = "scripted"
check_for_update_on_startup = false
project_root_markers = []

[analytics]
enabled = false

[model_providers.scripted]
name = "scripted"
base_url = "${baseUrl}"
wire_api = "responses"
env_key = "SCRIPTED_KEY"
`;
}

/** As src/codex/permission-profile.ts gives it to our threads: everything readable but the data, the workspace and HOME writable. */
function profileArgs(root: string, homeDir: string): readonly string[] {
  const profile = permissionProfile({
    sandboxMode: 'workspace-write',
    network: false,
    workspaceDir: workspacePlaceholder,
    homeDir,
    tmpDir: path.join(homeDir, 'tmp'),
    deniedPaths: [root],
  });
  const entries = Object.entries(profile?.filesystem ?? {}).map(
    ([folder, access]) => `"${folder}" = "${access}"`,
  );
  const settings = [
    'default_permissions="job"',
    `permissions.job.filesystem={ ${entries.join(', ')} }`,
    'permissions.job.network.enabled=false',
    `projects={ "${workspacePlaceholder}" = { trust_level = "untrusted" } }`,
  ];
  return settings.flatMap((setting) => ['-c', setting]);
}
