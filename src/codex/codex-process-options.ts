import type { Logger } from '../domain/logger.ts';
import { currentProcessIdentity } from '../runtime/process-identity.ts';
import type { Containment } from '../supervisor/contain.ts';
import { ownerEnvironment } from './end-agents-of.ts';

export interface CodexProcessOptions {
  /** The Codex binary itself; npm's shim would work, but takes ten times as long to start. */
  readonly codexBin: string;
  /** CODEX_HOME: login and threads; made where missing. Not under the temporary folder, where Codex refuses its helpers. */
  readonly codexHome: string;
  /** Holds the folders of jobs. Git, as Codex runs it, looks for no repository around it. */
  readonly dataDir: string;
  /** On this machine's own disk: each process keeps its databases in a folder in here while it lives. */
  readonly scratchDir: string;
  /** The PATH that Codex and the agent's commands get. */
  readonly commandPath: string;
  readonly containment: Containment;
  /** The root certificates for its TLS connections, PEM; those of the machine where it is left out. */
  readonly certificatesFile?: string | undefined;
  readonly logger: Logger;
}

/** All that the process gets from us; nothing is inherited. */
export function codexEnvironment(options: CodexProcessOptions): Record<string, string> {
  const { codexHome, commandPath, certificatesFile, dataDir } = options;
  return {
    PATH: commandPath,
    HOME: codexHome,
    CODEX_HOME: codexHome,
    LANG: 'C.UTF-8',
    // Else the provider is told the remote and the commit of a repository that the data folder happens to lie in, from a dozen processes a job.
    GIT_CEILING_DIRECTORIES: dataDir,
    ...(certificatesFile === undefined ? {} : { SSL_CERT_FILE: certificatesFile }),
    ...ownerEnvironment(currentProcessIdentity()),
  };
}
