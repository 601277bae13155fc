import type { ArtifactStorage } from '../artifacts/artifact-storage.ts';
import type { Runner } from '../domain/runner.ts';
import type { BuildType } from './build/build-type.ts';
import type { JobType } from './job-types.ts';
import type { Capstan } from './open-capstan.ts';

/** All that is known of a type of worker, in one place; what is heavy is loaded when it is called for. */
export interface WorkerType {
  readonly name: string;
  readonly jobType: (dataDir: string, artifacts: ArtifactStorage) => JobType;
  /** Rejects with kind `configuration` or `auth` where no job could run. The caller starts and disposes the runner. */
  readonly createRunner: (capstan: Capstan, signal: AbortSignal) => Promise<Runner>;
  readonly build: BuildType;
}

export type WorkerTypes = ReadonlyMap<string, WorkerType>;
