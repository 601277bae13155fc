import { join } from 'node:path';
import { createAppServerDriver } from '../codex/app-server/app-server-driver.ts';
import type { CodexProcessOptions } from '../codex/app-server/app-server-process.ts';
import { requireChecks } from '../codex/check.ts';
import { startModelProxy } from '../codex/model-proxy/start-model-proxy.ts';
import { sandboxRunner } from '../codex/run-sandboxed.ts';
import type { Runner } from '../domain/runner.ts';
import { createCodexRunner } from '../runners/codex/codex-runner.ts';
import type { Provider } from '../runners/codex/deps.ts';
import { AppError } from '../runtime/app-error.ts';
import { probeContainment } from '../supervisor/contain.ts';
import { examineCodex, noKey } from './examine-codex.ts';
import type { Capstan } from './open-capstan.ts';

/**
 * Puts the codex runner together as the configuration says; the caller starts and disposes it. Rejects before anything is started where
 * no job could run: `codex_missing`, `no_key`, `key_refused`, `sandbox_unavailable` and whatever else the pre-flight finds.
 */
export async function createConfiguredCodexRunner(capstan: Capstan, signal: AbortSignal): Promise<Runner> {
  const { config, profile, logger, artifacts } = capstan;
  const { codex: settings, dataDir } = config;
  const [{ checks, codex }, containment] = await Promise.all([
    examineCodex(capstan, signal),
    probeContainment(signal),
  ]);
  requireChecks(checks);
  if (codex === null) throw new AppError('configuration', 'codex_missing', 'The Codex CLI is not installed.');
  for (const check of checks)
    if (!check.ok) logger.warn({ check: check.name, hint: check.hint }, check.detail);
  if (containment.kind !== 'pid_namespace')
    logger.info({ why: containment.why }, 'Agents are held by their process group and a mark alone');

  const surroundings: CodexProcessOptions = {
    codexBin: codex.path,
    codexHome: settings.home,
    scratchDir: join(dataDir, 'scratch'),
    commandPath: capstan.commandPath,
    containment,
    logger: logger.child({ room: 'codex' }),
  };
  const proxy = await startModelProxy();
  const driver = createAppServerDriver(surroundings);

  function provider(): Provider | null {
    if (settings.auth === 'home') return null;
    if (profile.openaiApiKey === null) throw noKey();
    return { baseUrl: settings.baseUrl, apiKey: profile.openaiApiKey.reveal() };
  }

  return createCodexRunner({
    driver,
    proxy,
    runSandboxed: sandboxRunner(surroundings),
    artifacts,
    dataDir,
    settings,
    logger,
    provider,
    deniedPaths: [dataDir, settings.home],
    codexVersion: codex.version,
  });
}
