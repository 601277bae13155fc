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
  readonly failure: (memoryMb: number | null, lastLines: readonly string[]) => AppError;
}

export interface LifeOptions {
  /** Done before each. */
  readonly before: () => Promise<void>;
  /** Told when the kernel has killed one for want of memory. */
  readonly onOutOfMemory: () => void;
}

/** One container after the other under one name, and what is known of the newest. */
export function containerLives(
  engine: Engine,
  start: ContainerStart,
  { before, onOutOfMemory }: LifeOptions,
): ContainerLives {
  let containerId: string | null = null;
  let refusal: AppError | null = null;
  let death: { readonly exit: ChildExit; readonly outOfMemory: boolean } | null = null;
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
    failure: (memoryMb, lastLines) =>
      refusal ??
      containerDied({
        ...start,
        exit: death?.exit ?? { code: null, signal: null },
        outOfMemory: death?.outOfMemory ?? false,
        memoryMb,
        lastLines,
      }),
  };
}
