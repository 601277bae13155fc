import type { BuildEvent } from '../../contract/build-event.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import type { LaunchSurroundings } from '../fleet/launch-surroundings.ts';
import type { WorkerTypes } from '../types/worker-type.ts';

export interface RunBuildOptions {
  readonly manifest: string;
  readonly cwd: string;
  readonly loaded: LoadedConfig;
  readonly types: WorkerTypes;
  /** Ids of the manifest's jobs to build, with what they need; none: all. */
  readonly only: readonly string[];
  readonly forceNewWorkers: boolean;
  readonly surroundings: LaunchSurroundings;
  /** Aborts when the user wants to stop: what only this build wants is cancelled. */
  readonly interrupted: AbortSignal;
  readonly onEvent: (event: BuildEvent) => void;
}
