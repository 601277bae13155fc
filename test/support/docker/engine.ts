import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isDead, readProcessStat } from '../../../src/runtime/process-stat.ts';
import { cacheRoot } from '../test-run.ts';
import { dockerSays } from './docker.ts';
import { anyGoesOn, goOn, goOnNoMore } from './going-on.ts';
import { oneAtATime } from './one-at-a-time.ts';

const startLimitMs = 60_000;
const stopLimitMs = 30_000;
const betweenLooksMs = 100;
const socket = '/var/run/docker.sock';
const log = path.join(cacheRoot, 'dockerd.log');

/** Null where an engine answers or may be started, else why not. */
export function whyNoEngine(): string | null {
  const { error, status, stderr } = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (error !== undefined) return `docker is not there (${error.message})`;
  if (status === 0) return null;
  const silent = stderr.trim().split('\n')[0] ?? 'no engine answers';
  if (process.env['DOCKER_HOST'] !== undefined) return silent;
  if (process.getuid?.() !== 0) return `${silent}; only root may start one`;
  return findDockerd() === null ? `${silent}; dockerd is not installed` : null;
}

/** Of all test runs on this machine, whatever their checkout. */
const shared = '/run/capstan-test-engine';
/** One file for each run that goes on, by its id: the process of its setup. */
const runsFolder = path.join(shared, 'runs');
const pidFile = path.join(shared, 'dockerd.pid');
const mayStart = process.getuid?.() === 0 && findDockerd() !== null;

/** Says that this run goes on, before it looks for an engine: one of a test's is not ended while a run does. For the setup's own process. */
export async function joinEngine(runId: string): Promise<void> {
  if (!mayStart) return;
  await goOn(runsFolder, runId);
}

let started: Promise<void> | undefined;

/** Makes sure that an engine answers: one that runs, else one of ours, which the last test run on this machine ends. Its images stay. */
export function dockerEngine(): Promise<void> {
  started ??= mayStart
    ? oneAtATime('dockerd', startEngine, shared)
    : dockerSays('version').then((answers) => {
        if (!answers) throw new Error('no Docker engine answers, and none can be started here');
      });
  return started;
}

async function startEngine(): Promise<void> {
  if (await dockerSays('version')) return;
  const dockerd = findDockerd();
  if (dockerd === null) throw new Error('no Docker engine answers, and dockerd is not installed');
  await mkdir(cacheRoot, { recursive: true });
  const output = openSync(log, 'w');
  // Without the run's variable, by which a process that a test left is known: it serves all test files.
  const engine = spawn(dockerd, [`--host=unix://${socket}`], {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '', HOME: '/root' },
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  engine.unref();
  const { promise: failed, reject } = Promise.withResolvers<never>();
  engine.once('error', reject).once('exit', () => {
    reject(new Error('dockerd ended'));
  });
  try {
    await writeFile(pidFile, String(engine.pid ?? ''));
    await Promise.race([failed, answering(AbortSignal.timeout(startLimitMs))]);
  } catch (error) {
    await endEngine();
    const said = (await readFile(log, 'utf8')).trim().split('\n').slice(-5).join('\n');
    throw new Error(`dockerd did not start:\n${said}`, { cause: error });
  }
}

/** This run is over: ends the engine that a test run has started, unless another run goes on. */
export async function leaveEngine(runId: string): Promise<void> {
  if (!mayStart) return;
  await goOnNoMore(runsFolder, runId);
  if (!existsSync(pidFile)) return;
  await oneAtATime(
    'dockerd',
    async () => {
      if (!(await anyGoesOn(runsFolder))) await endEngine();
    },
    shared,
  );
}

async function endEngine(): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  await rm(pidFile, { force: true });
  if (!isDockerd(pid)) return;
  process.kill(pid, 'SIGTERM');
  const signal = AbortSignal.timeout(stopLimitMs);
  while (isDockerd(pid)) {
    if (signal.aborted) process.kill(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, betweenLooksMs));
  }
}

async function answering(signal: AbortSignal): Promise<void> {
  while (!(await dockerSays('version'))) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, betweenLooksMs));
  }
}

function findDockerd(): string | null {
  return ['/usr/bin/dockerd', '/usr/sbin/dockerd', '/usr/local/bin/dockerd'].find(existsSync) ?? null;
}

function isDockerd(pid: number): boolean {
  const stat = pid > 0 ? readProcessStat(pid) : null;
  if (stat === null || isDead(stat)) return false;
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'dockerd';
  } catch {
    // It has ended since.
    return false;
  }
}
