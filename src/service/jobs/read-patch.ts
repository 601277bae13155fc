import { text } from 'node:stream/consumers';
import type { ArtifactStorage } from '../../artifacts/artifact-storage.ts';
import type { Job } from '../../domain/job.ts';
import { artifactNames } from '../../runners/codex/artifact-names.ts';

/** The text of a job's patch; null where it left none. */
export async function readPatch(artifacts: ArtifactStorage, job: Job): Promise<string | null> {
  if (job.report?.artifacts.some(({ name }) => name === artifactNames.patch) !== true) return null;
  const { stream } = await artifacts.open(job.id, artifactNames.patch);
  return text(stream);
}
