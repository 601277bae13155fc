import { access, constants, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SandboxMode } from '../contract/codex-job.ts';
import { AppError } from '../runtime/app-error.ts';
import { failed, passed, type Check } from './check.ts';
import { runCodex } from './run-codex.ts';

const name = 'sandbox';
const limitMs = 10_000;

export interface SandboxCheck {
  readonly bin: string;
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
    if (await hasOldBubblewrap(options)) return failed(name, oldBubblewrap());
    const { code, output } = await trySandbox(options);
    if (code === 0) return passed(name, 'works');
    return failed(name, unavailable(`exit ${String(code)}: ${output.slice(-300)}`));
  } catch (error) {
    if (options.signal.aborted || !(error instanceof AppError)) throw error;
    return failed(name, unavailable(error.message));
  }
}

/**
 * Codex prefers this one to its own. Without `--argv0` (before 0.9) it looks for Codex's helper in CODEX_HOME, which is denied to agents: every
 * command of theirs would fail, though the sandbox as such works.
 */
const systemBubblewrap = '/usr/bin/bwrap';

async function hasOldBubblewrap({ path, signal }: SandboxCheck): Promise<boolean> {
  const runs = await access(systemBubblewrap, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!runs) return false;
  const env = { PATH: path };
  const { output } = await runCodex({ bin: systemBubblewrap, args: ['--help'], env, limitMs, signal });
  return !output.includes('--argv0');
}

function oldBubblewrap(): AppError {
  return new AppError(
    'configuration',
    'bubblewrap_too_old',
    `${systemBubblewrap} is too old for Codex, which prefers it to its own: no command of an agent could run.`,
    {
      hint: 'Remove it (on Debian: `apt-get remove bubblewrap`), update it to 0.9 or newer, or run agents in containers with workers.codex.execution_mode = docker.',
    },
  );
}

async function trySandbox({
  bin,
  path,
  codexHome,
  signal,
}: SandboxCheck): Promise<{ code: number | null; output: string }> {
  const scratch = await mkdtemp(join(tmpdir(), 'capstan-check-'));
  // Codex refuses every command while CODEX_HOME is missing, which says nothing about the sandbox.
  const exists = (await stat(codexHome).catch(() => null)) !== null;
  const home = exists ? codexHome : await homeNear(codexHome);
  try {
    const env = { PATH: path, HOME: home, CODEX_HOME: home, TMPDIR: scratch };
    return await runCodex({ bin, args: ['sandbox', '--', 'true'], env, limitMs, signal });
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
