import { codexBuildType } from './build/codex-build-type.ts';
import { codexJobType } from './codex-job-type.ts';
import type { WorkerType, WorkerTypes } from './worker-type.ts';

const types: readonly WorkerType[] = [
  {
    name: 'codex',
    jobType: codexJobType,
    createRunner: async (capstan, signal) =>
      (await import('./create-codex-runner.ts')).createConfiguredCodexRunner(capstan, signal),
    build: codexBuildType,
  },
];

/** The types of workers that come with Capstan. */
export const workerTypes: WorkerTypes = new Map(types.map((type) => [type.name, type]));
