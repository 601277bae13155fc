import type { Config } from './settings.ts';

export interface DockerType {
  readonly type: string;
  /** Null where the settings name none, which a start refuses. */
  readonly image: string | null;
}

/** The types of workers that the settings have run in containers; none with a count of 0. */
export function dockerTypes({ workers }: Config): readonly DockerType[] {
  return Object.entries(workers).flatMap(([type, group]) => {
    if (typeof group !== 'object' || group === null) return [];
    const { executionMode, count, image } = group;
    const mode = executionMode ?? workers.defaultExecutionMode;
    return mode === 'docker' && (count ?? workers.defaultWorkerCount) > 0 ? [{ type, image }] : [];
  });
}
