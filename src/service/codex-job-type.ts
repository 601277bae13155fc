import { isAbsolute } from 'node:path';
import { codexJobInputSchema } from '../contract/codex-job.ts';
import { fingerprintFolder } from '../artifacts/fingerprint.ts';
import { jobFolders } from '../artifacts/job-folders.ts';
import { removeTree } from '../artifacts/remove-tree.ts';
import { snapshotFolder } from '../artifacts/snapshot-folder.ts';
import { unpackArchive } from '../artifacts/unpack-archive.ts';
import type { ArtifactStorage } from '../artifacts/artifact-storage.ts';
import { AppError } from '../runtime/app-error.ts';
import type { JobType } from './job-types.ts';

/** `codex` jobs: the source folder is copied, or the archive unpacked, when the job is accepted; later changes to either do not reach it. */
export function codexJobType(dataDir: string, artifacts: ArtifactStorage): JobType {
  return {
    inputSchema: codexJobInputSchema,
    async prepare(id, raw, retryOf) {
      const input = codexJobInputSchema.parse(raw);
      const target = jobFolders(dataDir, id).source;
      if (retryOf !== null) {
        await snapshotFolder(jobFolders(dataDir, retryOf).source, target);
      } else if ('dir' in input.source) {
        if (!isAbsolute(input.source.dir)) throw notAbsolute(input.source.dir);
        const { dir } = input.source;
        await snapshotFolder(dir, target, { dataDir });
        return { ...input, source: { dir, fingerprint: await fingerprintFolder(target) } };
      } else {
        const { jobId, name } = input.source.artifact;
        // Opened first, so that an artifact that is not there is said as such.
        (await artifacts.open(jobId, name)).stream.destroy();
        await unpackArchive(artifacts.path(jobId, name), target);
      }
      return input;
    },
    async discard(id) {
      await removeTree(jobFolders(dataDir, id).job);
    },
  };
}

function notAbsolute(dir: string): AppError {
  return new AppError('user', 'source_not_absolute', `The source folder '${dir}' is not an absolute path.`, {
    hint: 'Give the whole path on the machine that the server runs on.',
  });
}
