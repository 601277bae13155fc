import { mkdir } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { createArtifactStorage } from '../artifacts/artifact-storage.ts';
import { asFileError } from '../artifacts/file-error.ts';
import { dockerTypes } from '../config/docker-types.ts';
import type { Config } from '../config/settings.ts';
import type { ProfileSeed } from '../config/load-profile.ts';
import { chooseJournalMode } from '../domain/journal-mode.ts';
import type { Logger } from '../domain/logger.ts';
import { AppError, hasErrno } from '../runtime/app-error.ts';
import { systemClock } from '../runtime/clock.ts';
import { openSqliteStore } from '../store/sqlite/open-sqlite-store.ts';
import type { DocumentJobTypeDeps } from './types/document-job-type.ts';
import { allJobTypes } from './types/worker-types.ts';
import { createContainers, type Containers } from './fleet/containers.ts';
import type { JobServices } from './jobs/job-services.ts';
import type { JobTypes } from './types/job-types.ts';

/** Everything that one process opens: the store, the artifacts and what is known about the job types. */
export interface Capstan extends JobServices, AsyncDisposable {
  readonly containers: Containers;
  readonly config: Config;
  readonly profile: ProfileSeed;
  readonly logger: Logger;
  /** The PATH of this process: where tools are looked for, and what agents' commands get. */
  readonly commandPath: string;
}

export interface OpenOptions {
  readonly commandPath: string;
  readonly config: Config;
  readonly profile: ProfileSeed;
  readonly logger: Logger;
  /** Tells a Linux inside Windows, and where containers are. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Inside a container: what lies under the database's folder is known to whoever started it, who has chosen how it is written. */
  readonly contained?: boolean;
  /** Other than those that come with Capstan. */
  readonly jobTypes?: (deps: DocumentJobTypeDeps) => JobTypes;
}

/** Opens the data folder, making it where it is missing. Throws what `openSqliteStore` throws, and `permission_denied` or `disk_full`. */
export async function openCapstan(options: OpenOptions): Promise<Capstan> {
  const { config, profile, logger, commandPath } = options;
  try {
    await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (hasErrno(error, 'EEXIST', 'ENOTDIR')) {
      throw new AppError('configuration', 'data_folder_invalid', `${config.dataDir} is not a folder.`, {
        hint: 'Choose another data folder with CAPSTAN_DATA or --db-path.',
        cause: error,
      });
    }
    throw asFileError(error, config.dataDir);
  }
  // They open the same file.
  const inContainers = dockerTypes(config).length > 0;
  const journal = chooseJournalMode({
    platform: process.platform,
    kernelRelease: release(),
    environment: options.environment ?? {},
    dbPath: config.dbPath,
    containers: inContainers,
  });
  if (journal.warning !== null && inContainers) logger.warn({ dbPath: config.dbPath }, journal.warning);
  const store = await openSqliteStore({
    dbPath: config.dbPath,
    journalMode: options.contained === true ? 'as_is' : journal.mode,
    busyLimitMs: config.store.busyTimeoutMs,
  });
  const artifacts = createArtifactStorage(join(config.dataDir, 'artifacts'));
  return {
    config,
    profile,
    logger,
    commandPath,
    store,
    artifacts,
    dataDir: config.dataDir,
    jobTypes: (options.jobTypes ?? allJobTypes)({
      dataDir: config.dataDir,
      artifacts,
      providerKey: profile.openaiApiKey,
    }),
    clock: systemClock,
    containers: createContainers(options.environment ?? {}),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
