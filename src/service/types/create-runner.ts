import type { Runner } from '../../domain/runner.ts';
import { createConfiguredCodexRunner } from './create-codex-runner.ts';
import { createConfiguredDrawioRunner } from './create-drawio-runner.ts';
import { createConfiguredNotebookRunner } from './create-notebook-runner.ts';
import { createConfiguredPlantumlRunner } from './create-plantuml-runner.ts';
import type { Capstan } from '../open-capstan.ts';
import type { WorkerType } from './worker-types.ts';

type Create = (capstan: Capstan, signal: AbortSignal) => Promise<Runner>;

const creators: Readonly<Record<WorkerType, Create>> = {
  codex: createConfiguredCodexRunner,
  plantuml: createConfiguredPlantumlRunner,
  notebook: createConfiguredNotebookRunner,
  drawio: createConfiguredDrawioRunner,
};

/** The runner of a type as the configuration says; the caller starts and disposes it. Rejects with kind `configuration` or `auth` where no job could run. */
export async function createRunner(type: WorkerType, capstan: Capstan, signal: AbortSignal): Promise<Runner> {
  return creators[type](capstan, signal);
}
