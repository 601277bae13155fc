import { codexJobInputSchema } from '../contract/codex-job.ts';
import type { ArtifactStorage } from '../artifacts/artifact-storage.ts';
import { documentJobType } from './document-job-type.ts';
import type { JobType } from './job-types.ts';

/** `codex` jobs: the source folder is copied, or the archive unpacked, when the job is accepted; later changes to either do not reach it. */
export function codexJobType(dataDir: string, artifacts: ArtifactStorage): JobType {
  return documentJobType(codexJobInputSchema, { dataDir, artifacts });
}
