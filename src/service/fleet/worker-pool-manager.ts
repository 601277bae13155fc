import type { LoadedConfig } from '../../config/load-config.ts';
import { executionModes, type ExecutionMode, type LaunchedWorker } from '../../domain/launcher.ts';
import { AppError } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import type { Capstan } from '../open-capstan.ts';
import { createLaunchers, type Launchers } from './create-launchers.ts';
import type { LaunchSurroundings } from './launch-surroundings.ts';

/** Workers of one type for a pool. */
export interface WorkerConfig {
  readonly type: string;
  readonly count: number;
  /** Default: `workers.default_execution_mode`. */
  readonly executionMode?: ExecutionMode;
  /** Docker mode needs one. */
  readonly image?: string;
}

export interface WorkerPoolOptions {
  readonly capstan: Capstan;
  readonly loaded: LoadedConfig;
  readonly surroundings: LaunchSurroundings;
  readonly workers: readonly WorkerConfig[];
}

const stopGraceMs = 30_000;

/** A pool of workers for programs that manage their own: they serve all jobs, and go when it is stopped or its process ends. */
export class WorkerPoolManager implements AsyncDisposable {
  readonly #options: WorkerPoolOptions;
  readonly #launchers: Launchers;
  readonly #scope = newId().slice(-12);
  readonly #started = new Map<string, ExecutionMode>();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#launchers = createLaunchers(options.capstan, options.surroundings);
  }

  /** Resolves when all take jobs. Where one does not start, none is left, and it rejects with what that one failed with. */
  async startPools(signal: AbortSignal): Promise<readonly LaunchedWorker[]> {
    const { workers, loaded } = this.#options;
    const launches = workers.flatMap(({ type, count, executionMode, image }) => {
      const mode = executionMode ?? loaded.config.workers.defaultExecutionMode;
      if (mode === 'docker' && image === undefined) throw imageMissing(type);
      return Array.from({ length: count }, async (_, at) => {
        const name = `capstan-pool-${this.#scope}-${type}-${at + 1}`;
        this.#started.set(name, mode);
        const spec = { name, type, buildId: null, lifetime: 'attached', image: image ?? null } as const;
        return this.#launchers.get(mode).launch(spec, signal);
      });
    });
    const results = await Promise.allSettled(launches);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) {
      await this.stopPools();
      throw failed.reason;
    }
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }

  /** The workers of this pool as they are. */
  async listWorkers(): Promise<readonly LaunchedWorker[]> {
    const modes = executionModes.filter((mode) => [...this.#started.values()].includes(mode));
    const lists = await Promise.all(modes.map((mode) => this.#launchers.get(mode).list()));
    return lists.flat().filter(({ name }) => this.#started.has(name));
  }

  /** Lets them finish within their grace and resolves when they are gone. */
  async stopPools(): Promise<void> {
    const started = [...this.#started];
    this.#started.clear();
    await Promise.all(
      started.map(([name, mode]) => this.#launchers.get(mode).stop(name, { graceMs: stopGraceMs })),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopPools();
    await this.#launchers[Symbol.asyncDispose]();
  }
}

function imageMissing(type: string): AppError {
  return new AppError(
    'configuration',
    'worker_image_missing',
    `The ${type} workers are to run in docker and have no image.`,
    {
      hint: 'Give `image`, or executionMode: "direct".',
    },
  );
}
