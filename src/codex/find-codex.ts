import { realpathSync } from 'node:fs';
import { isAbsolute, sep } from 'node:path';
import { AppError } from '../runtime/app-error.ts';
import { asProgram, onPath } from './on-path.ts';
import { versionIn, versionWarning } from './protocol/version-warning.ts';
import { runCodex } from './run-codex.ts';
import { binaryBeside, vendoredBinary } from './vendored-binary.ts';

export interface FindCodexOptions {
  /** The setting `codex.bin`: a path, or a name on PATH. Null: the installed package's, then `codex` on PATH. */
  readonly bin: string | null;
  /** The value of PATH. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** The file from which `@openai/codex` is resolved; this one by default. */
  readonly from?: string;
}

export interface FoundCodex {
  readonly path: string;
  readonly version: string;
  /** Where the installed version is another than the protocol's: a warning that names both. */
  readonly warning: string | null;
}

const versionLimitMs = 10_000;
const installHint =
  'Install it with `npm install -g @openai/codex`, or set codex.bin to where it is, then run `capstan doctor`.';

/** Finds the Codex binary and asks for its version. Rejects with AppError `codex_missing` or `codex_broken`, kind `configuration`. */
export async function findCodex(options: FindCodexOptions): Promise<FoundCodex> {
  const path = locate(options);
  const { code, output } = await ask(path, options);
  const version = versionIn(output);
  if (code !== 0 || version === null) {
    throw broken(
      path,
      code === 0 ? 'it does not tell its version' : `exit ${String(code)}: ${output.slice(-300)}`,
    );
  }
  return { path, version, warning: versionWarning(version) };
}

function locate({ bin, path, from = import.meta.filename }: FindCodexOptions): string {
  if (bin !== null) {
    const found = isAbsolute(bin) || bin.includes(sep) ? asProgram(bin) : onPath(bin, path);
    if (found !== null) return unwrapShim(found);
    throw new AppError('configuration', 'codex_missing', `codex.bin is ${bin}, where there is no program.`, {
      hint: 'Correct codex.bin, or leave it out to use the installed one.',
    });
  }
  const found = vendoredBinary(from) ?? onPath('codex', path);
  if (found !== null) return unwrapShim(found);
  throw new AppError('configuration', 'codex_missing', 'The Codex CLI is not installed.', {
    hint: installHint,
  });
}

/** npm's `codex` is a Node script that starts the real one, in ten times the time. */
function unwrapShim(path: string): string {
  const real = realpathSync(path);
  return real.endsWith('.js') ? (binaryBeside(real) ?? path) : path;
}

async function ask(
  path: string,
  { path: searchPath, signal }: FindCodexOptions,
): Promise<Awaited<ReturnType<typeof runCodex>>> {
  try {
    return await runCodex({
      bin: path,
      args: ['--version'],
      env: { PATH: searchPath },
      limitMs: versionLimitMs,
      signal,
    });
  } catch (error) {
    if (signal.aborted || !(error instanceof AppError)) throw error;
    throw broken(path, error.message);
  }
}

function broken(path: string, why: string): AppError {
  return new AppError('configuration', 'codex_broken', `${path} does not run as Codex: ${why}`, {
    hint: installHint,
  });
}
