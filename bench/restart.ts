import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { startAppServer } from '../src/codex/app-server/app-server-process.ts';
import { codexEnvironment, type CodexProcessOptions } from '../src/codex/codex-process-options.ts';
import { findCodex } from '../src/codex/find-codex.ts';
import { childPids } from '../src/runtime/process-stat.ts';
import { within } from '../src/runtime/wait.ts';
import { AppError } from '../src/runtime/app-error.ts';
import { probeContainment } from '../src/supervisor/contain.ts';
import { createLogger } from '../src/telemetry/create-logger.ts';
import { atMost, type Figure, type FigureContext } from './support/figure.ts';
import { median } from './support/statistics.ts';

const rounds = { full: 25, tiny: 1 } as const;
const limitMs = 30_000;

export const restart: Figure = {
  name: 'restart',
  about: `From the SIGKILL of a ready app-server to the next one being ready under the supervisor (death noticed, started again in its PID namespace, \`initialize\` answered), over the raw time from the
spawn of the same binary, without a supervisor or a namespace, to its answer to \`initialize\`. Alternating; medians.`,
  async run(context) {
    const options = await surroundings(context);
    const raw: number[] = [];
    const again: number[] = [];
    for (let round = 0; round < rounds[context.scale]; round += 1) {
      raw.push(await rawStartMs(options));
      again.push(await restartMs(options, context.signal));
    }
    context.say(
      `ready again after ${again.map(Math.round).join(', ')} ms; raw starts ${raw.map(Math.round).join(', ')} ms`,
    );
    const figure = 'SIGKILL of the app-server → ready, over its raw start';
    return [atMost({ figure, unit: 'ms', ours: median(again), rival: median(raw) }, 1.2)];
  },
};

export async function surroundings({ dir, signal }: FigureContext): Promise<CodexProcessOptions> {
  const commandPath = process.env['PATH'] ?? '';
  const { path: codexBin } = await findCodex({ bin: null, path: commandPath, signal });
  const codexHome = path.join(dir, 'codex-home');
  await mkdir(codexHome, { recursive: true });
  return {
    codexBin,
    codexHome,
    dataDir: dir,
    scratchDir: path.join(dir, 'scratch'),
    commandPath,
    containment: await probeContainment(signal),
    logger: createLogger({ level: 'silent', format: 'text', destination: process.stderr }),
  };
}

async function restartMs(options: CodexProcessOptions, signal: AbortSignal): Promise<number> {
  await using server = await startAppServer(options);
  const { supervisor } = server;
  const first = await supervisor.whenReady(signal, limitMs);
  const root = supervisor.snapshot().pid ?? 0;
  const agent = options.containment.kind === 'pid_namespace' ? leaf(root) : root;
  const gone = once(first.over, 'abort');
  const began = performance.now();
  process.kill(agent, 'SIGKILL');
  await gone;
  await supervisor.whenReady(signal, limitMs);
  return performance.now() - began;
}

/** `unshare` has one child, and that is the app-server, or has one that is. */
export function leaf(pid: number): number {
  const [child] = childPids(pid);
  return child === undefined ? pid : leaf(child);
}

export async function rawStartMs(options: CodexProcessOptions): Promise<number> {
  const began = performance.now();
  const child = spawn(options.codexBin, ['app-server'], {
    cwd: options.codexHome,
    env: codexEnvironment(options),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  const params = { clientInfo: { name: 'bench', title: 'bench', version: '0' } };
  child.stdin.write(`${JSON.stringify({ id: 1, method: 'initialize', params })}\n`);
  await within(
    once(child.stdout, 'data'),
    limitMs,
    () => new AppError('infrastructure', 'late', 'no answer'),
  );
  const tookMs = performance.now() - began;
  child.kill('SIGKILL');
  await exited;
  return tookMs;
}
