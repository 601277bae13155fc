import { join } from 'node:path';
import type { LaunchedWorker, Launcher, StopOptions, WorkerSpec } from '../../domain/launcher.ts';
import type { Logger } from '../../domain/logger.ts';
import type { WorkerRecord } from '../../domain/worker.ts';
import { isAlive } from '../../runtime/process-identity.ts';
import type { Supervisor } from '../../supervisor/supervisor-options.ts';
import { processSource } from '../../supervisor/child-source.ts';
import { launchAttached } from '../launch-attached.ts';
import { retryStart } from '../retry-start.ts';
import { startDetachedWorker } from './detached-worker.ts';
import { endProcess } from './end-process.ts';
import { workerCommand, type Program } from './worker-command.ts';

export interface DirectLauncherOptions {
  readonly program: Program;
  /** Settings that were given on the command line, in its words. */
  readonly settings: readonly string[];
  /** The whole environment of the workers. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Logs of persistent workers go here. */
  readonly logDir: string;
  /** The registered workers: what outlives a launcher is known by its row alone. */
  readonly registered: () => Promise<readonly WorkerRecord[]>;
  /** How often a start is tried again. */
  readonly startRetries: number;
  readonly startLimitMs: number;
  /** How long an attached worker may go on after it was told to stop. */
  readonly leaveMs: number;
  readonly logger: Logger;
  /** Each line that an attached worker logs. */
  readonly onLogLine: (line: string) => void;
  /** Told when an attached worker's process has ended without having been told to. */
  readonly onExit: () => void;
}

/** Workers as processes of this machine. */
export function createDirectLauncher(options: DirectLauncherOptions): Launcher {
  const attached = new Map<string, Supervisor<string>>();

  async function find(name: string): Promise<WorkerRecord | null> {
    const records = await options.registered();
    const ours = records.filter((record) => record.mode === 'direct' && record.name === name);
    return ours.find(({ process }) => isAlive(process)) ?? null;
  }

  async function attach(spec: WorkerSpec, signal: AbortSignal): Promise<LaunchedWorker> {
    const known = attached.get(spec.name);
    if (known !== undefined) {
      await known.whenReady(signal, options.startLimitMs);
      return seen(spec.name, known);
    }
    const { supervisor, ready } = launchAttached({
      type: spec.type,
      source: processSource({
        ...workerCommand(options.program, spec, options.settings),
        env: options.env,
        cwd: options.cwd,
      }),
      leaveMs: options.leaveMs,
      startLimitMs: options.startLimitMs,
      startRetries: options.startRetries,
      logger: options.logger.child({ worker: spec.name }),
      onLogLine: options.onLogLine,
      onExit: options.onExit,
    });
    attached.set(spec.name, supervisor);
    try {
      await ready(signal);
      return seen(spec.name, supervisor);
    } catch (error) {
      attached.delete(spec.name);
      await supervisor.stop();
      throw error;
    }
  }

  async function launchPersistent(spec: WorkerSpec, signal: AbortSignal): Promise<LaunchedWorker> {
    const known = await find(spec.name);
    if (known !== null) return { name: spec.name, state: 'running', handle: String(known.process.pid) };
    const { command, args } = workerCommand(options.program, spec, options.settings);
    const logFile = join(options.logDir, `${spec.name}.log`);
    const { env, cwd, startLimitMs } = options;
    const detached = {
      type: spec.type,
      command,
      args,
      env,
      cwd,
      logFile,
      startLimitMs,
      wait: spec.wait ?? true,
    };
    const retries = { ...options, name: spec.name };
    const pid = await retryStart(() => startDetachedWorker(detached, signal), retries, signal);
    return { name: spec.name, state: 'running', handle: String(pid) };
  }

  return {
    mode: 'direct',
    launch: (spec, signal) =>
      spec.lifetime === 'attached' ? attach(spec, signal) : launchPersistent(spec, signal),
    async inspect(name) {
      const supervisor = attached.get(name);
      if (supervisor !== undefined) return seen(name, supervisor);
      const record = await find(name);
      return record === null ? null : { name, state: stateOf(record), handle: String(record.process.pid) };
    },
    async stop(name: string, { graceMs }: StopOptions) {
      const supervisor = attached.get(name);
      if (supervisor !== undefined) {
        attached.delete(name);
        await supervisor.stop();
        return;
      }
      const record = await find(name);
      if (record !== null) await endProcess(record.process, { graceMs });
    },
    async list() {
      const own = [...attached].map(([name, supervisor]) => seen(name, supervisor));
      const others = (await options.registered()).flatMap((record) =>
        record.mode === 'direct' && record.name !== null && !attached.has(record.name)
          ? [{ name: record.name, state: stateOf(record), handle: String(record.process.pid) }]
          : [],
      );
      return [...own, ...others];
    },
    async [Symbol.asyncDispose]() {
      const all = [...attached.values()];
      attached.clear();
      await Promise.all(all.map((supervisor) => supervisor.stop()));
    },
  };
}

function seen(name: string, supervisor: Supervisor<string>): LaunchedWorker {
  const { pid, ready, running } = supervisor.snapshot();
  const state = ready ? 'running' : running ? 'starting' : 'ended';
  return { name, state, handle: pid === null ? null : String(pid) };
}

function stateOf({ process, state }: WorkerRecord): LaunchedWorker['state'] {
  if (!isAlive(process)) return 'ended';
  return state === 'starting' ? 'starting' : 'running';
}
