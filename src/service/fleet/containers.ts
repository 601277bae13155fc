import { homedir } from 'node:os';
import type { WorkerId } from '../../domain/ids.ts';
import type { WorkerRecord } from '../../domain/worker.ts';
import type { ContainerState } from '../../launcher/docker/container-states.ts';
import type { Engine } from '../../launcher/docker/engine.ts';
import { AppError } from '../../runtime/app-error.ts';

export type ContainerStates = ReadonlyMap<WorkerId, ContainerState>;

/** The containers of this machine; their engine is looked for when something is asked of it. */
export interface Containers {
  /** Rejects with `docker_unavailable`, `docker_forbidden`, `docker_remote` or `docker_unsuitable`. */
  engine(): Promise<Engine>;
  /** What is proven of those of these workers that run in containers; nothing where no engine can be asked. */
  states(workers: readonly WorkerRecord[]): Promise<ContainerStates>;
}

const none: ContainerStates = new Map();

export function createContainers(environment: Readonly<Record<string, string | undefined>>): Containers {
  let connected: Promise<Engine> | null = null;

  function engine(): Promise<Engine> {
    connected ??= connect(environment).catch((error: unknown) => {
      connected = null;
      throw error;
    });
    return connected;
  }

  return {
    engine,
    async states(workers) {
      // Whoever uses no containers never waits for an engine.
      if (workers.every(({ container }) => container === null)) return none;
      try {
        const { containerStates } = await import('../../launcher/docker/container-states.ts');
        return await containerStates(await engine(), workers);
      } catch (error) {
        if (error instanceof AppError) return none;
        throw error;
      }
    },
  };
}

/** Loaded by those who need it: the library behind it is big. */
async function connect(environment: Readonly<Record<string, string | undefined>>): Promise<Engine> {
  const [{ engineSocket }, { connectEngine }] = await Promise.all([
    import('../../launcher/docker/engine-address.ts'),
    import('../../launcher/docker/engine.ts'),
  ]);
  return connectEngine(engineSocket({ environment, platform: process.platform, home: homedir() }));
}
