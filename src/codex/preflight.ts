import type { SandboxMode } from '../contract/codex-job.ts';
import { AppError } from '../runtime/app-error.ts';
import { startDeadline } from '../runtime/deadline.ts';
import { bubblewrapPath } from './bubblewrap-path.ts';
import { checkHome } from './check-home.ts';
import { checkModel } from './check-model.ts';
import { checkSandbox } from './check-sandbox.ts';
import { failed, passed, warned, type Check } from './check.ts';
import { findCodex, type FoundCodex } from './find-codex.ts';
import type { Upstream } from './model-proxy/upstream.ts';
import { runCodex } from './run-codex.ts';

const limitMs = 30_000;

export interface PreflightOptions {
  /** The setting `codex.bin`. */
  readonly bin: string | null;
  /** The value of PATH. */
  readonly path: string;
  readonly codexHome: string;
  readonly sandboxMode: SandboxMode;
  /** Where the model is, with an empty key where there is none; null where the login in CODEX_HOME is used. */
  readonly upstream: Upstream | null;
  readonly signal: AbortSignal;
}

export interface Preflight {
  readonly checks: readonly Check[];
  /** Null where it was not found; a check says why. */
  readonly codex: FoundCodex | null;
  /** The PATH that Codex and its commands are to have. */
  readonly commandPath: string;
}

/**
 * Looks at all that a Codex job needs, within 30 s; `requireChecks` turns what is missing into an error.
 * Rejects with `preflight_timeout` (infrastructure), or the signal's reason.
 */
export async function preflight(options: PreflightOptions): Promise<Preflight> {
  using deadline = startDeadline(limitMs, () => {
    return new AppError(
      'infrastructure',
      'preflight_timeout',
      'Looking at what Codex needs took longer than 30 s.',
    );
  });
  const signal = AbortSignal.any([options.signal, deadline.signal]);
  const [binary, home, model] = await Promise.all([
    checkBinary({ ...options, signal }),
    checkHome(options.codexHome),
    options.upstream === null ? null : checkModel(options.upstream, signal),
  ]);
  const { codex, commandPath } = binary;
  const checks = [...binary.checks, home];
  if (codex !== null)
    checks.push(await checkSandbox({ ...options, bin: codex.path, path: commandPath, signal }));
  if (model !== null) checks.push(model);
  else if (codex !== null) checks.push(await checkLogin({ ...options, bin: codex.path, signal }));
  return { checks, codex, commandPath };
}

async function checkBinary(options: PreflightOptions): Promise<Preflight> {
  const name = 'codex';
  try {
    const codex = await findCodex(options);
    const check = passed(name, `${codex.version} at ${codex.path}`);
    const commandPath = await bubblewrapPath({ ...options, bin: codex.path });
    if (codex.warning === null) return { checks: [check], codex, commandPath };
    const other = new AppError('configuration', 'codex_version', codex.warning, {
      hint: 'It usually works; where it does not, install the version named.',
    });
    return { checks: [check, warned('codex version', other)], codex, commandPath };
  } catch (error) {
    if (options.signal.aborted || !(error instanceof AppError)) throw error;
    return { checks: [failed(name, error)], codex: null, commandPath: options.path };
  }
}

interface LoginCheck extends PreflightOptions {
  readonly bin: string;
}

/** Whether a login is stored. Codex cannot say whether it is still good: the first job tells. */
async function checkLogin({ bin, path, codexHome, signal }: LoginCheck): Promise<Check> {
  const name = 'login';
  const missing = (why: string): Check => {
    const message = `There is no login in ${codexHome}: ${why}`;
    const hint = `Log in with \`CODEX_HOME=${codexHome} codex login\`, or set codex.auth = profile and OPENAI_API_KEY.`;
    return failed(name, new AppError('configuration', 'no_key', message, { hint }));
  };
  try {
    const env = { PATH: path, HOME: codexHome, CODEX_HOME: codexHome };
    const { code, output } = await runCodex({ bin, args: ['login', 'status'], env, limitMs: 10_000, signal });
    return code === 0 ? passed(name, 'stored in CODEX_HOME') : missing(output.slice(-300));
  } catch (error) {
    if (signal.aborted || !(error instanceof AppError)) throw error;
    return missing(error.message);
  }
}
