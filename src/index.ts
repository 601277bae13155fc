/** What programs may use of Capstan; all else may change with any version. */
export { loadConfig, type ConfigSources, type LoadedConfig } from './config/load-config.ts';
export { loadProfile } from './config/load-profile.ts';
export { platformPaths } from './config/platform-paths.ts';
export { openCapstan, type Capstan, type OpenOptions } from './service/open-capstan.ts';
export { capstanProgram } from './service/program.ts';
export { submitJob } from './service/jobs/submit-job.ts';
export {
  WorkerPoolManager,
  type WorkerConfig,
  type WorkerPoolOptions,
} from './service/fleet/worker-pool-manager.ts';
export { createLogger } from './telemetry/create-logger.ts';
