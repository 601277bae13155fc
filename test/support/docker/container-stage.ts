import path from 'node:path';
import { expect } from 'vitest';
import { openBuildStage, type BuildStage, type Ran, type Running } from '../build-stage.ts';
import { docker } from './docker.ts';

const polling = { timeout: 30_000, interval: 50 };

/** A build stage whose plantuml workers run in containers; it fails where it leaves one. */
export interface ContainerStage extends AsyncDisposable {
  readonly stage: BuildStage;
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Running;
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** Ids of this stage's containers, in whatever state. */
  containers(): Promise<readonly string[]>;
  /** Resolves when there are so many. */
  whenContainers(count: number): Promise<readonly string[]>;
}

export async function openContainerStage(image: string, diagrams: number): Promise<ContainerStage> {
  const stage = await openBuildStage({
    'course.yaml': 'jobs:\n  - { type: plantuml, input: "in/*.puml" }\n',
    ...Object.fromEntries(
      Array.from({ length: diagrams }, (_, at) => [
        `in/${String(at)}.puml`,
        `@startuml\nA -> B : ${String(at)}\nclass C\n@enduml\n`,
      ]),
    ),
  });
  const settings = {
    CAPSTAN_WORKERS__DEFAULT_WORKER_COUNT: '0',
    CAPSTAN_WORKERS__PLANTUML__EXECUTION_MODE: 'docker',
    CAPSTAN_WORKERS__PLANTUML__COUNT: '1',
    CAPSTAN_WORKERS__PLANTUML__IMAGE: image,
  };
  const containers = async (): Promise<readonly string[]> => {
    const label = `label=capstan.data=${path.join(stage.dataDir, 'capstan.db')}`;
    const ids = await docker('ps', '--all', '--quiet', '--filter', label);
    return ids.split('\n').filter((id) => id !== '');
  };
  const whenContainers = async (count: number): Promise<readonly string[]> => {
    await expect.poll(async () => (await containers()).length, polling).toBe(count);
    return containers();
  };
  return {
    stage,
    start: (args, env = {}) => stage.start(args, { ...settings, ...env }),
    run: (args, env = {}) => stage.run(args, { ...settings, ...env }),
    containers,
    whenContainers,
    async [Symbol.asyncDispose]() {
      try {
        await whenContainers(0);
      } finally {
        for (const id of await containers()) await docker('rm', '--force', id);
        await stage[Symbol.asyncDispose]();
      }
    },
  };
}
