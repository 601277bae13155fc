import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SandboxMode } from '../contract/codex-job.ts';
import { AppError } from '../runtime/app-error.ts';
import { oldBubblewrap } from './bubblewrap-path.ts';
import { failed, passed, type Check } from './check.ts';
import { permissionProfile } from './permission-profile.ts';
import { runCodex } from './run-codex.ts';
import { sandboxArgs } from './sandbox-args.ts';

const name = 'sandbox';
const limitMs = 10_000;

export interface SandboxCheck {
  readonly bin: string;
  /** The PATH that Codex will have. */
  readonly path: string;
  readonly codexHome: string;
  readonly sandboxMode: SandboxMode;
  readonly signal: AbortSignal;
}

/** Whether Codex can run a command in its sandbox here: where it cannot, every command of an agent fails while its turn still ends well. */
export async function checkSandbox(options: SandboxCheck): Promise<Check> {
  if (options.sandboxMode === 'danger-full-access') {
    return passed(name, 'not used: danger-full-access is chosen');
  }
  try {
    const { code, output } = await trySandbox(options);
    if (code === 0) return passed(name, 'works');
    const old = await oldBubblewrap(options.path, options.signal);
    if (old !== null) return failed(name, bubblewrapTooOld(old));
    return failed(name, unavailable(`exit ${String(code)}: ${output.slice(-300)}`));
  } catch (error) {
    if (options.signal.aborted || !(error instanceof AppError)) throw error;
    return failed(name, unavailable(error.message));
  }
}

function bubblewrapTooOld(found: string): AppError {
  return new AppError(
    'configuration',
    'bubblewrap_too_old',
    `${found} is too old for Codex, which brings none of its own here: no command of an agent could run.`,
    {
      hint: 'Update it to 0.9 or newer, install Codex by npm, which brings one, or run agents in containers with workers.codex.execution_mode = docker.',
    },
  );
}

/** With CODEX_HOME denied, as it is to agents: a sandbox that works without that may start none of their commands. */
async function trySandbox({
  bin,
  path,
  codexHome,
  sandboxMode,
  signal,
}: SandboxCheck): Promise<{ code: number | null; output: string }> {
  const scratch = await mkdtemp(join(tmpdir(), 'capstan-check-'));
  // Codex refuses every command while CODEX_HOME is missing, which says nothing about the sandbox.
  const exists = (await stat(codexHome).catch(() => null)) !== null;
  const home = exists ? codexHome : await homeNear(codexHome);
  try {
    const env = { PATH: path, HOME: home, CODEX_HOME: home, TMPDIR: scratch };
    const own = { workspaceDir: scratch, homeDir: scratch, tmpDir: scratch };
    const profile = permissionProfile({ ...own, sandboxMode, network: false, deniedPaths: [home] });
    const args = profile === null ? ['sandbox', '--', 'true'] : sandboxArgs(profile, scratch, ['true']);
    return await runCodex({ bin, args, env, limitMs, signal });
  } finally {
    const made = exists ? [scratch] : [scratch, home];
    await Promise.all(made.map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

/** Where the home will be: under the temporary folder Codex makes no helpers, without which a `bwrap` of the system's finds nothing to run. */
async function homeNear(codexHome: string): Promise<string> {
  for (let folder = dirname(codexHome); folder !== dirname(folder); folder = dirname(folder)) {
    const made = await mkdtemp(join(folder, '.capstan-check-')).catch(() => null);
    if (made !== null) return made;
  }
  return mkdtemp(join(tmpdir(), 'capstan-check-'));
}

function unavailable(why: string): AppError {
  return new AppError('configuration', 'sandbox_unavailable', `Codex cannot make its sandbox here: ${why}`, {
    hint: 'Allow unprivileged user namespaces (in a container: a seccomp and AppArmor profile that does), or, where the worker itself is isolated, set codex.sandbox_mode = danger-full-access with codex.allow_danger = true.',
  });
}
