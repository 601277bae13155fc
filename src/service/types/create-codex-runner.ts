import { createAppServerDriver } from '../../codex/app-server/app-server-driver.ts';
import type { CodexProcessOptions } from '../../codex/codex-process-options.ts';
import { requireChecks } from '../../codex/check.ts';
import { writeOneCertificate } from '../../codex/write-one-certificate.ts';
import { createExecDriver } from '../../codex/exec/exec-driver.ts';
import { startModelProxy } from '../../codex/model-proxy/start-model-proxy.ts';
import { sandboxRunner } from '../../codex/run-sandboxed.ts';
import type { AuthFault } from '../../codex/model-proxy/fault.ts';
import type { Runner } from '../../domain/runner.ts';
import { createCodexRunner } from '../../runners/codex/codex-runner.ts';
import type { KeptLogin, Provider } from '../../runners/codex/deps.ts';
import type { Clock } from '../../runtime/clock.ts';
import { AppError } from '../../runtime/app-error.ts';
import { probeContainment } from '../../supervisor/contain.ts';
import { codexName } from './codex-name.ts';
import { examineCodex, noKey } from '../doctor/examine-codex.ts';
import type { Capstan } from '../open-capstan.ts';
import { refusedForMs, watchKeptLogin } from './kept-login.ts';
import { refuseKeys } from '../jobs/withhold-keys.ts';
import { ownScratch } from '../workers/own-scratch.ts';

/**
 * Puts the codex runner together as the configuration says; the caller starts and disposes it. Rejects before anything is started where
 * no job could run: `codex_missing`, `no_key`, `key_refused`, `sandbox_unavailable` and whatever else the pre-flight finds.
 */
export async function createConfiguredCodexRunner(capstan: Capstan, signal: AbortSignal): Promise<Runner> {
  const { config, profile, logger, artifacts } = capstan;
  const { codex: settings, dataDir } = config;
  const [{ checks, codex, commandPath }, containment] = await Promise.all([
    examineCodex(capstan, signal),
    probeContainment(signal),
  ]);
  requireChecks(checks);
  if (codex === null) throw new AppError('configuration', 'codex_missing', 'The Codex CLI is not installed.');
  for (const check of checks)
    if (!check.ok) logger.warn({ check: check.name, hint: check.hint }, check.detail);
  if (containment.kind !== 'pid_namespace')
    logger.info({ why: containment.why }, 'Agents are held by their process group and a mark alone');

  await using opening = new AsyncDisposableStack();
  const scratch = opening.use(await ownScratch(dataDir));
  const surroundings: CodexProcessOptions = {
    codexBin: codex.path,
    codexHome: settings.home,
    dataDir,
    scratchDir: scratch.path,
    // The model proxy is on this machine; a login of Codex's own leads out.
    certificatesFile: settings.auth === 'home' ? undefined : await writeOneCertificate(scratch.path),
    commandPath,
    containment,
    logger: logger.child({ room: 'codex' }),
  };
  const refusals = rememberRefusals(capstan.clock);
  const proxy = await startModelProxy({ onAuthRefused: refusals.note, through: profile.through });
  const createDriver = settings.driver === 'exec' ? createExecDriver : createAppServerDriver;
  const driver = createDriver(surroundings);

  const login = watchKeptLogin({
    codexHome: settings.home,
    clock: capstan.clock,
    onChanged: () => {
      driver.renew();
    },
  });

  function access(): Provider | KeptLogin {
    if (settings.auth === 'home') return login();
    if (profile.openaiApiKey === null) throw noKey();
    refusals.check();
    return { baseUrl: settings.baseUrl, apiKey: profile.openaiApiKey.reveal() };
  }

  const runner = createCodexRunner({
    driver,
    proxy,
    runSandboxed: sandboxRunner(surroundings),
    artifacts,
    dataDir,
    settings,
    clock: capstan.clock,
    access,
    deniedPaths: [dataDir, settings.home],
    keyFiles: profile.keyFiles ?? [],
    checkSource: refuseKeys(profile.openaiApiKey),
    codexVersion: codex.version,
  });
  const held = opening.move();
  return {
    ...runner,
    tool: codexName(codex.version, settings.model),
    async [Symbol.asyncDispose]() {
      await runner[Symbol.asyncDispose]();
      await held.disposeAsync();
    },
  };
}

interface Refusals {
  readonly note: (attemptId: string, fault: AuthFault) => void;
  /** Throws `key_refused` while the refusal is fresh. */
  readonly check: () => void;
}

/** This worker has one key: once it is refused, the jobs that need it fail at once instead of asking again, each for itself. */
function rememberRefusals(clock: Clock): Refusals {
  let last: AuthFault | null = null;
  return {
    note: (_attemptId, fault) => {
      last = fault;
    },
    check: () => {
      if (last === null || clock() - last.atMs > refusedForMs) return;
      throw new AppError('auth', 'key_refused', last.message, {
        hint: 'Give another key in OPENAI_API_KEY and start the worker again, then run the job with `capstan jobs retry`.',
      });
    },
  };
}
