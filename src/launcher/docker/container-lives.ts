import { AppError } from '../../runtime/app-error.ts';
import type { ChildSource } from '../../supervisor/child-source.ts';
import type { ChildExit } from '../../supervisor/child.ts';
import { startContainerChild, type ContainerStart } from './container-child.ts';
import { containerDied, ranOutOfMemory } from './container-death.ts';
import type { Engine } from './engine.ts';

export interface ContainerLives {
  readonly source: ChildSource;
  readonly containerId: () => string | null;
  /** What the newest life failed with. */
  readonly failure: (lastLines: readonly string[]) => AppError;
  /** What they die of one after the other, each soon: that the next does not is not to be expected. Null where they do not. */
  readonly hopeless: () => AppError | null;
}

export interface LifeOptions {
  readonly memoryMb: number | null;
  /** Done before each. */
  readonly before: () => Promise<void>;
  /** Told when the kernel has killed one for want of memory. */
  readonly onOutOfMemory: () => void;
}

/** One more in a row than a job costs that needs too much by itself, as it is tried again. */
const hopelessDeaths = 4;
/** A life of this length was worth something. */
const longLifeMs = 60_000;

/** One container after the other under one name, and what is known of the newest. */
export function containerLives(
  engine: Engine,
  start: ContainerStart,
  { memoryMb, before, onOutOfMemory }: LifeOptions,
): ContainerLives {
  let containerId: string | null = null;
  let refusal: AppError | null = null;
  let death: { readonly exit: ChildExit; readonly outOfMemory: boolean } | null = null;
  let outOfMemoryDeaths = 0;
  const died = (outOfMemory: boolean, lastLines: readonly string[]): AppError => {
    const exit = death?.exit ?? { code: null, signal: null };
    return containerDied({ ...start, exit, outOfMemory, memoryMb, lastLines });
  };
  return {
    source: {
      name: `The container ${start.name}`,
      start: async (options) => {
        [containerId, refusal, death] = [null, null, null];
        const sinceMs = Date.now();
        try {
          await before();
          const child = await startContainerChild(engine, start, options);
          containerId = child.containerId;
          const exited = child.exited.then(async (exit) => {
            const killed = exit.signal === 'SIGKILL';
            const outOfMemory =
              killed && (await ranOutOfMemory(engine, child.containerId, sinceMs).catch(() => false));
            death = { exit, outOfMemory };
            const before = Date.now() - sinceMs > longLifeMs ? 0 : outOfMemoryDeaths;
            outOfMemoryDeaths = outOfMemory ? before + 1 : 0;
            if (outOfMemory) onOutOfMemory();
            return exit;
          });
          return { ...child, exited };
        } catch (error) {
          refusal = error instanceof AppError ? error : null;
          throw error;
        }
      },
    },
    containerId: () => containerId,
    failure: (lastLines) => refusal ?? died(death?.outOfMemory ?? false, lastLines),
    hopeless: () => (outOfMemoryDeaths >= hopelessDeaths ? died(true, []) : null),
  };
}
