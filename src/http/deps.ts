import type { Logger } from '../domain/logger.ts';
import type { JobServices } from '../service/jobs/job-services.ts';
import type { GuardSettings } from './guard.ts';
import type { OpenAiDeps } from './openai/deps.ts';

export type MountedGateway = Omit<OpenAiDeps, 'logger'> & { readonly isMetricsEnabled: boolean };

export interface ServerDeps {
  readonly jobs: JobServices;
  readonly logger: Logger;
  readonly guard: GuardSettings;
  readonly version: string;
  /** What is served under /v1, with its metrics. */
  readonly openAi?: MountedGateway | undefined;
  /** Aborts when the server stops: streams end, waiting requests are answered. */
  readonly stopping: AbortSignal;
  /** How often a silent event stream says that it lives, milliseconds; 15 s where it is not said. */
  readonly keepAliveMs?: number;
}
