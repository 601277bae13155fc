import type { z } from 'zod';
import type { ArtifactStorage } from '../../artifacts/artifact-storage.ts';
import { jobFolders } from '../../artifacts/job-folders.ts';
import { removeTree } from '../../artifacts/remove-tree.ts';
import { snapshotFolder, type SnapshotOptions } from '../../artifacts/snapshot-folder.ts';
import type { DocumentJobInput } from '../../contract/document-job.ts';
import type { Secret } from '../../runtime/secret.ts';
import type { JobType } from './job-types.ts';
import { secureSource } from '../jobs/secure-source.ts';

export interface DocumentJobTypeDeps {
  readonly dataDir: string;
  readonly artifacts: ArtifactStorage;
  /** What lets us use the model; null where there is none, or where the login is Codex's own. */
  readonly providerKey: Secret | null;
}

/** What one type does beside the others. */
export interface DocumentJobTypeOptions {
  readonly withhold?: SnapshotOptions['withhold'];
}

/** A job type whose files are copied when the job is accepted; later changes to them do not reach it. */
export function documentJobType<Input extends DocumentJobInput>(
  inputSchema: z.ZodType<Input>,
  { dataDir, artifacts }: Pick<DocumentJobTypeDeps, 'dataDir' | 'artifacts'>,
  { withhold }: DocumentJobTypeOptions = {},
): JobType {
  return {
    inputSchema,
    async prepare(id, raw, retryOf) {
      const input = inputSchema.parse(raw);
      const target = jobFolders(dataDir, id).source;
      if (retryOf !== null) {
        await snapshotFolder(jobFolders(dataDir, retryOf).source, target);
        return input;
      }
      return { ...input, source: await secureSource(input.source, { artifacts, dataDir, target, withhold }) };
    },
    async discard(id) {
      await removeTree(jobFolders(dataDir, id).job);
    },
  };
}
