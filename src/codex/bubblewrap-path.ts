import { realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { AppError } from '../runtime/app-error.ts';
import { asProgram, onPath } from './on-path.ts';
import { runCodex } from './run-codex.ts';

const limitMs = 10_000;

export interface BubblewrapPathOptions {
  /** The Codex binary. */
  readonly bin: string;
  /** The value of PATH. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/**
 * The PATH for Codex and its commands, on which it finds a bubblewrap that can start them: the given one, with the folder of Codex's own
 * before it where another would be taken that is too old. Unchanged where Codex brings none; then the check of the sandbox fails.
 */
export async function bubblewrapPath({ bin, path, signal }: BubblewrapPathOptions): Promise<string> {
  if ((await oldBubblewrap(path, signal)) === null) return path;
  const own = bundledBubblewrap(bin);
  return own === null ? path : `${dirname(own)}${delimiter}${path}`;
}

/**
 * The bubblewrap that Codex would take from PATH before its own, where it has no `--argv0` (before 0.9); else null. Codex then looks for its
 * helper in CODEX_HOME, which is denied to agents: every command of theirs would fail.
 */
export async function oldBubblewrap(path: string, signal: AbortSignal): Promise<string | null> {
  const found = process.platform === 'linux' ? onPath('bwrap', path) : null;
  if (found === null) return null;
  try {
    const env = { PATH: path };
    const { output } = await runCodex({ bin: found, args: ['--help'], env, limitMs, signal });
    return output.includes('--argv0') ? null : found;
  } catch (error) {
    if (signal.aborted || !(error instanceof AppError)) throw error;
    // Codex takes what cannot say what it can for an old one.
    return found;
  }
}

/** Where Codex itself looks for it: beside its binary, or beside that one's folder. */
function bundledBubblewrap(bin: string): string | null {
  const folder = dirname(realpathSync(bin));
  const places = [folder, dirname(folder)].map((place) => join(place, 'codex-resources', 'bwrap'));
  return places.map(asProgram).find((found) => found !== null) ?? null;
}
