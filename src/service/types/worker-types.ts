import { drawioJobInputSchema } from '../../contract/drawio-job.ts';
import { notebookJobInputSchema } from '../../contract/notebook-job.ts';
import { plantumlJobInputSchema } from '../../contract/plantuml-job.ts';
import { codexJobType } from './codex-job-type.ts';
import { documentJobType, type DocumentJobTypeDeps } from './document-job-type.ts';
import type { JobTypes } from './job-types.ts';

/** What workers can be started for; each is a job type of the same name. */
export const workerTypes = ['codex', 'plantuml', 'notebook', 'drawio'] as const;
export type WorkerType = (typeof workerTypes)[number];

/** All job types, by name. */
export function allJobTypes(deps: DocumentJobTypeDeps): JobTypes {
  const types = {
    codex: codexJobType(deps),
    plantuml: documentJobType(plantumlJobInputSchema, deps),
    notebook: documentJobType(notebookJobInputSchema, deps),
    drawio: documentJobType(drawioJobInputSchema, deps),
  } satisfies Record<WorkerType, unknown>;
  return new Map(Object.entries(types));
}
