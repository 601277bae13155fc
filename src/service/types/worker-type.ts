import type { Runner } from '../../domain/runner.ts';
import type { BuildType } from '../build/build-type.ts';
import type { DocumentJobTypeDeps } from './document-job-type.ts';
import type { JobTypes } from './job-types.ts';
import type { Capstan } from '../open-capstan.ts';

/** All that is known of a type of worker, in one place; what is heavy is loaded when it is called for. */
export interface WorkerType {
  readonly name: string;
  /** Its job type is the one of its name. */
  readonly jobTypes: (deps: DocumentJobTypeDeps) => JobTypes;
  /** Rejects with kind `configuration` or `auth` where no job could run. The caller starts and disposes the runner. */
  readonly createRunner: (capstan: Capstan, signal: AbortSignal) => Promise<Runner>;
  readonly build: BuildType;
}

export type WorkerTypes = ReadonlyMap<string, WorkerType>;
