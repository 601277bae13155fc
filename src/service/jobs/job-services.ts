import type { Store } from '../../domain/store.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ArtifactStorage } from '../../artifacts/artifact-storage.ts';
import type { Containers } from '../fleet/containers.ts';
import type { JobTypes } from '../types/job-types.ts';

/** What the use cases of jobs need; made once by `openCapstan`. */
export interface JobServices {
  readonly store: Store;
  readonly artifacts: ArtifactStorage;
  /** Where everything lies. */
  readonly dataDir: string;
  readonly jobTypes: JobTypes;
  readonly clock: Clock;
  /** None: nothing is known of containers. */
  readonly containers?: Containers;
}
