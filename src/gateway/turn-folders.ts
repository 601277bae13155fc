import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '../domain/logger.ts';

/** The folders that threads work in. */
export interface TurnFolders {
  open(): Promise<string>;
  /** Never rejects. */
  leave(folder: string): Promise<void>;
}

export interface TurnFolderOptions {
  readonly sandboxMode: 'read-only' | 'workspace-write';
  readonly workdir: string;
  /** Where requests that may write have their folders. */
  readonly turnsDir: string;
  readonly logger: Logger;
}

/** Who may write has a folder of its own; all others share one that nothing is ever written into. */
export async function openTurnFolders(options: TurnFolderOptions): Promise<TurnFolders> {
  const { sandboxMode, workdir, turnsDir, logger } = options;
  const shared = path.join(workdir, 'empty');
  await mkdir(shared, { recursive: true, mode: 0o700 });
  if (sandboxMode === 'read-only')
    return { open: () => Promise.resolve(shared), leave: () => Promise.resolve() };
  return {
    open: () => mkdtemp(path.join(turnsDir, 'turn-')),
    async leave(folder) {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) => {
        logger.warn({ err: error, folder }, 'A folder of the gateway could not be removed');
      });
    },
  };
}
