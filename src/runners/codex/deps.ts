import type { ArtifactStorage } from '../../artifacts/artifact-storage.ts';
import type { CodexDriver } from '../../codex/driver.ts';
import type { ModelProxy } from '../../codex/model-proxy/start-model-proxy.ts';
import type { RunSandboxed } from '../../codex/run-sandboxed.ts';
import type { SandboxMode } from '../../contract/codex-job.ts';
import type { AppError } from '../../runtime/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';

export interface CodexRunnerSettings {
  readonly model: string;
  readonly sandboxMode: SandboxMode;
  /** Whether commands may reach the network where the job does not say. */
  readonly network: boolean;
  readonly stallTimeoutMs: number;
  /** The limit of an attempt whose job names none. */
  readonly timeoutMs: number;
}

/** Where the model is and what lets us use it. */
export interface Provider {
  readonly baseUrl: string;
  readonly apiKey: string;
}

/** The login in CODEX_HOME, as it was when an attempt began. */
export interface KeptLogin {
  /** Told when the provider has refused it; gives the failure with the way to another. */
  readonly refused: (message: string) => AppError;
}

export interface CodexRunnerDeps {
  readonly driver: CodexDriver;
  readonly proxy: ModelProxy;
  readonly runSandboxed: RunSandboxed;
  readonly artifacts: ArtifactStorage;
  readonly dataDir: string;
  readonly settings: CodexRunnerSettings;
  /** The provider as the profile has it now, or the login in CODEX_HOME. Throws `no_key` where there is no key, `key_refused` while a refusal is known. */
  readonly access: () => Provider | KeptLogin;
  /** Folders that no command of an agent may read. */
  readonly deniedPaths: readonly string[];
  /** Files that none may read either, where they are there. */
  readonly keyFiles: readonly string[];
  /** Rejects with kind `user` where a source holds what no agent may see. */
  readonly checkSource: (sourceDir: string, signal: AbortSignal) => Promise<void>;
  readonly codexVersion: string;
  readonly clock: Clock;
}
