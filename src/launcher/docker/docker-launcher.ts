import type { ContainerInfo } from 'dockerode';
import { fileVariable } from '../../config/secret-file.ts';
import type { Config } from '../../config/settings.ts';
import type { LaunchedWorker, Launcher, WorkerSpec } from '../../domain/launcher.ts';
import type { Logger } from '../../domain/logger.ts';
import type { WorkerRecord } from '../../domain/worker.ts';
import type { AppError } from '../../runtime/app-error.ts';
import type { Supervisor } from '../../supervisor/supervisor-options.ts';
import { hasSecrets, type Secrets } from '../hand-secrets.ts';
import { launchAttached } from '../launch-attached.ts';
import { retryStart } from '../retry-start.ts';
import { containerLives } from './container-lives.ts';
import { containerEnvironment } from './container-environment.ts';
import { containerHome, containerSpec } from './container-spec.ts';
import { databaseNotShared, findContainer, listContainers, removeContainer, shortId } from './containers.ts';
import type { Engine } from './engine.ts';
import { requireImage } from './images.ts';
import { lackingImage } from './lacking-image.ts';
import { labels } from './labels.ts';
import { planMounts } from './mounts.ts';
import { requireCodexHome } from './require-codex-home.ts';
import { requireReachable } from './require-reachable.ts';
import { placeSecrets, type WorkerSecret } from './place-secrets.ts';
import { removeIdleNetwork, requireNetwork } from './networks.ts';
import { startServiceContainer } from './service-container.ts';
import { stopContainer } from './stop-container.ts';

/** What a type of worker needs besides its image and the data folder. */
export interface TypeNeeds {
  readonly network: boolean;
  /** Whether it runs agents, whose threads and login are in CODEX_HOME. */
  readonly codexHome: boolean;
  /** Its keys, by the names of their variables. */
  readonly secrets: Readonly<Record<string, WorkerSecret>>;
  /** An address that its jobs ask; null where they ask none. */
  readonly asks: string | null;
}

export interface DockerLauncherOptions {
  readonly connect: () => Promise<Engine>;
  readonly config: Config;
  readonly platform: NodeJS.Platform;
  /** `uid:gid` of the data folder's owner; null where the platform has none. */
  readonly owner: string | null;
  readonly needsOf: (type: string) => TypeNeeds;
  /** The registered workers: a worker that takes jobs is among them, where its container sees the same database. */
  readonly registered: () => Promise<readonly WorkerRecord[]>;
  readonly leaveMs: number;
  readonly logger: Logger;
  /** Each line that an attached worker logs. */
  readonly onLogLine: (line: string) => void;
  /** Told when an attached worker's container has ended without having been told to. */
  readonly onExit: () => void;
  /** What a person should know, and may have to wait for. */
  readonly onNotice: (message: string) => void;
}

interface Attached {
  readonly supervisor: Supervisor<string>;
  readonly containerId: () => string | null;
  readonly hopeless: () => AppError | null;
}

/** Workers in containers of this machine's engine. */
export function createDockerLauncher(options: DockerLauncherOptions): Launcher {
  const { config, logger } = options;
  const { dbPath } = config;
  const { networkName, startRetries, startTimeoutMs, memoryMb } = config.workers;
  const attached = new Map<string, Attached>();
  let usedNetwork = false;
  let networkTurn = Promise.resolve();

  /** All that can be known to be missing is missed here, before anything is started. */
  async function prepare(spec: WorkerSpec, signal: AbortSignal) {
    const engine = await options.connect();
    const image = spec.image ?? '';
    const needs = options.needsOf(spec.type);
    if (needs.asks !== null) requireReachable(needs.asks);
    if (needs.codexHome) requireCodexHome(config);
    const { mounts, inside } = planMounts({
      platform: options.platform,
      dataDir: config.dataDir,
      dbPath,
      codexHome: needs.codexHome ? config.codex.home : null,
    });
    const policy = { pull: config.workers.pull, onNotice: options.onNotice };
    const imageId = await requireImage(engine, image, { policy, signal });
    const network = needs.network ? networkName : null;
    const { handed, files, mounts: secretMounts } = placeSecrets(needs.secrets, spec.lifetime);
    const body = containerSpec(spec, {
      engine: engine.facts,
      imageId,
      dbPath,
      mounts: [...mounts, ...secretMounts],
      env: containerEnvironment({ config, inside, home: containerHome, secretFiles: files }),
      getsSecrets: hasSecrets(handed),
      owner: options.owner,
      network,
      memoryMb,
      cpus: config.workers.cpus,
    });
    return { engine, network, start: { name: spec.name, dbPath, image, body }, secrets: handed };
  }

  async function useNetwork(engine: Engine, network: string | null, signal?: AbortSignal): Promise<void> {
    if (network === null) return;
    usedNetwork = true;
    const mine = networkTurn.then(() => requireNetwork(engine, network, signal));
    networkTurn = mine.catch(() => undefined);
    await mine;
  }

  async function requireShared(workerId: string): Promise<void> {
    if (!(await options.registered()).some(({ id }) => id === workerId)) throw databaseNotShared(dbPath);
  }

  async function attach(spec: WorkerSpec, signal: AbortSignal): Promise<LaunchedWorker> {
    const known = attached.get(spec.name);
    if (known !== undefined) {
      const why = known.hopeless();
      if (why !== null) throw why;
      await known.supervisor.whenReady(signal, startTimeoutMs);
      return seen(spec.name, known);
    }
    const { engine, network, start, secrets } = await prepare(spec, signal);
    const lives = containerLives(engine, start, {
      memoryMb,
      before: () => useNetwork(engine, network),
      onOutOfMemory: () => {
        const hint = 'raise workers.memory_mb, or lower worker.concurrency';
        options.onNotice(`${spec.name} was killed, as it needed more memory than it has: ${hint}.`);
      },
    });
    const { supervisor, ready } = launchAttached({
      type: spec.type,
      source: lives.source,
      secrets,
      leaveMs: options.leaveMs,
      startLimitMs: startTimeoutMs,
      startRetries,
      logger: logger.child({ worker: spec.name }),
      onLogLine: options.onLogLine,
      onExit: options.onExit,
      describeFailure: (_message, lastLines) => lives.failure(lastLines),
    });
    const entry: Attached = { supervisor, ...lives };
    attached.set(spec.name, entry);
    try {
      await requireShared(await ready(signal));
      return seen(spec.name, entry);
    } catch (error) {
      attached.delete(spec.name);
      await supervisor.stop();
      throw error;
    }
  }

  async function launchPersistent(spec: WorkerSpec, signal: AbortSignal): Promise<LaunchedWorker> {
    const engine = await options.connect();
    const known = await findContainer(engine, { name: spec.name, dbPath }, signal);
    if (known !== null && stateOf(known) !== 'ended') return seenContainer(known);
    const { network, start, secrets } = await prepare(spec, signal);
    const startOnce = async (): Promise<LaunchedWorker> => {
      await useNetwork(engine, network, signal);
      const waiting = { startLimitMs: startTimeoutMs, wait: spec.wait ?? true, memoryMb, secrets };
      const { containerId, workerId } = await startServiceContainer(engine, { ...start, ...waiting }, signal);
      if (workerId !== null) await proveShared(engine, containerId, workerId);
      return { name: spec.name, state: 'running', handle: shortId(containerId) };
    };
    const launched = await retryStart(startOnce, { name: spec.name, startRetries, logger }, signal);
    if (hasSecrets(secrets)) options.onNotice(sayForgetful(spec.name, secrets));
    return launched;
  }

  async function proveShared(engine: Engine, containerId: string, workerId: string): Promise<void> {
    try {
      await requireShared(workerId);
    } catch (error) {
      await removeContainer(engine, containerId);
      throw error;
    }
  }

  return {
    mode: 'docker',
    async launch(spec, signal) {
      try {
        return await (spec.lifetime === 'attached' ? attach(spec, signal) : launchPersistent(spec, signal));
      } catch (error) {
        throw lackingImage(error, spec);
      }
    },
    async inspect(name) {
      const own = attached.get(name);
      if (own !== undefined) return seen(name, own);
      const container = await findContainer(await options.connect(), { name, dbPath });
      return container === null ? null : seenContainer(container);
    },
    async stop(name, { graceMs }) {
      const own = attached.get(name);
      if (own !== undefined) {
        attached.delete(name);
        await own.supervisor.stop();
        return;
      }
      const engine = await options.connect();
      const container = await findContainer(engine, { name, dbPath });
      if (container === null) return;
      usedNetwork = true;
      await stopContainer(engine, container.Id, graceMs);
    },
    async list() {
      const own = [...attached].map(([name, entry]) => seen(name, entry));
      const others = (await listContainers(await options.connect(), dbPath)).map(seenContainer);
      return [...own, ...others.filter(({ name }) => !attached.has(name))];
    },
    async [Symbol.asyncDispose]() {
      const all = [...attached.values()];
      attached.clear();
      await Promise.all(all.map(({ supervisor }) => supervisor.stop()));
      if (!usedNetwork) return;
      try {
        await removeIdleNetwork(await options.connect(), networkName);
      } catch (error) {
        // It costs nothing to stay, and must not hide why this ends.
        logger.warn({ err: error, network: networkName }, 'The network of the workers could not be removed');
      }
    },
  };
}

function sayForgetful(name: string, secrets: Secrets): string {
  const variables = Object.keys(secrets).map(fileVariable).join(', ');
  return `${name} has its key in memory alone, so it does not come back by itself after a crash or a restart of the machine: \`capstan start-services\` starts it again. It would come back with the key in a file that ${variables} names.`;
}

function seen(name: string, { supervisor, containerId }: Attached): LaunchedWorker {
  const { ready, running } = supervisor.snapshot();
  const id = containerId();
  return {
    name,
    state: ready ? 'running' : running ? 'starting' : 'ended',
    handle: id === null ? null : shortId(id),
  };
}

function seenContainer(container: ContainerInfo): LaunchedWorker {
  const name = container.Labels[labels.worker] ?? '';
  return { name, state: stateOf(container), handle: shortId(container.Id) };
}

function stateOf({ State: state }: ContainerInfo): LaunchedWorker['state'] {
  if (state === 'running' || state === 'paused') return 'running';
  return state === 'restarting' ? 'starting' : 'ended';
}
