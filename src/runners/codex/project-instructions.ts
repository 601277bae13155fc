import { join } from 'node:path';
import { readSmallFile } from '../../artifacts/read-small-file.ts';
import { AppError, hasErrno } from '../../runtime/app-error.ts';

/** As much as Codex itself takes of it by default. */
const maxBytes = 32 * 1024;

/**
 * What the project tells agents in the AGENTS.md at its root; null where there is none. Codex does not read it in a folder that it is told
 * not to trust, and no folder of a job is trusted. A link is not followed: it might lead to what the job may not see.
 */
export function readProjectInstructions(sourceDir: string): string | null {
  try {
    const text = readSmallFile(join(sourceDir, 'AGENTS.md'), Buffer.alloc(maxBytes)).toString('utf8').trim();
    return text === '' ? null : text;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ELOOP', 'EISDIR', 'EACCES', 'ENXIO')) return null;
    if (error instanceof AppError && error.code === 'not_a_file') return null;
    throw error;
  }
}
