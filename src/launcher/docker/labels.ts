import type { WorkerSpec } from '../../domain/launcher.ts';

/** What proves a container or a network to be ours, and whose. */
export const labels = {
  worker: 'capstan.worker',
  type: 'capstan.type',
  /** The database that it works for, as this machine names it. */
  data: 'capstan.data',
  build: 'capstan.build',
  lifetime: 'capstan.lifetime',
  network: 'capstan.network',
} as const;

export function workerLabels(spec: WorkerSpec, dbPath: string): Readonly<Record<string, string>> {
  return {
    [labels.worker]: spec.name,
    [labels.type]: spec.type,
    [labels.data]: dbPath,
    [labels.lifetime]: spec.lifetime,
    ...(spec.buildId === null ? {} : { [labels.build]: spec.buildId }),
  };
}
