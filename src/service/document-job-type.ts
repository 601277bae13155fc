import type { z } from 'zod';
import type { ArtifactStorage } from '../artifacts/artifact-storage.ts';
import { jobFolders } from '../artifacts/job-folders.ts';
import { removeTree } from '../artifacts/remove-tree.ts';
import { snapshotFolder } from '../artifacts/snapshot-folder.ts';
import type { DocumentJobInput } from '../contract/document-job.ts';
import type { JobType } from './job-types.ts';
import { secureSource } from './secure-source.ts';

export interface DocumentJobTypeDeps {
  readonly dataDir: string;
  readonly artifacts: ArtifactStorage;
}

/** A job type whose files are copied when the job is accepted; later changes to them do not reach it. */
export function documentJobType<Input extends DocumentJobInput>(
  inputSchema: z.ZodType<Input>,
  { dataDir, artifacts }: DocumentJobTypeDeps,
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
      return { ...input, source: await secureSource(input.source, { artifacts, dataDir, target }) };
    },
    async discard(id) {
      await removeTree(jobFolders(dataDir, id).job);
    },
  };
}
