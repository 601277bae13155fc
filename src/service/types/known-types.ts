import { codexBuildType } from '../build/codex-build-type.ts';
import { drawioBuildType, notebookBuildType, plantumlBuildType } from '../build/tool-build-types.ts';
import type { BuildType } from '../build/build-type.ts';
import type { WorkerType, WorkerTypes } from './worker-type.ts';
import { allJobTypes, workerTypes, type WorkerType as KnownName } from './worker-types.ts';

const buildTypes: Readonly<Record<KnownName, BuildType>> = {
  codex: codexBuildType,
  plantuml: plantumlBuildType,
  notebook: notebookBuildType,
  drawio: drawioBuildType,
};

/** The types of workers that come with Capstan, with all that is known of them. */
export const knownTypes: WorkerTypes = new Map(
  workerTypes.map((name): [string, WorkerType] => [
    name,
    {
      name,
      jobTypes: allJobTypes,
      // Loaded by the worker that needs it: a runner brings its whole tool along.
      createRunner: async (capstan, signal) =>
        (await import('./create-runner.ts')).createRunner(name, capstan, signal),
      build: buildTypes[name],
    },
  ]),
);
