import { join } from 'node:path';
import type { AppServerSupervision } from '../codex/app-server/app-server-process.ts';
import { writeOneCertificate } from '../codex/write-one-certificate.ts';
import { findCodex } from '../codex/find-codex.ts';
import { startModelProxy } from '../codex/model-proxy/start-model-proxy.ts';
import type { Logger } from '../domain/logger.ts';
import { probeContainment } from '../supervisor/contain.ts';
import { ownFolder } from '../service/workers/own-folder.ts';
import { ownScratch, sweepScratch } from '../service/workers/own-scratch.ts';
import type { Capstan } from '../service/open-capstan.ts';
import { openResponseStore } from '../store/sqlite/response-store.ts';
import { createGatewayMetrics, type GatewayMetrics } from '../telemetry/gateway-metrics.ts';
import { startAppServerBackend, type BackendOptions } from './app-server-backend.ts';
import type { Backend } from './backend.ts';
import { startExecBackend } from './exec-backend.ts';
import { Gateway } from './gateway.ts';
import { loginProbe } from './login-probe.ts';
import { createModelCatalog } from './model-catalog.ts';
import { modelAccess } from './model-access.ts';
import { openThreadFiles, sweepThreadFiles } from './thread-files.ts';
import { workerLog } from './worker-log.ts';

/**
 * Puts the gateway together as the configuration says and starts its Codex; does not wait until that is ready. The caller drains and disposes it.
 * Rejects with kind `configuration` where it never could work: `codex_missing`, `models_invalid`, `base_url_invalid`.
 */
export async function openGateway(
  capstan: Pick<Capstan, 'config' | 'profile' | 'commandPath' | 'logger'>,
  signal: AbortSignal,
): Promise<Gateway> {
  const { config, profile, commandPath } = capstan;
  const { gateway: settings, codex } = config;
  const logger = capstan.logger.child({ room: 'gateway' });
  const [found, containment] = await Promise.all([
    findCodex({ bin: codex.bin, path: commandPath, signal }),
    probeContainment(signal),
  ]);
  if (found.warning !== null) logger.warn({ check: 'codex version' }, found.warning);
  await using opening = new AsyncDisposableStack();
  const proxy = opening.use(await startModelProxy({ through: profile.through }));
  const codexHome = codexHomeOf(config);
  const loginHint =
    codex.auth === 'home'
      ? `Log in again with \`CODEX_HOME=${codexHome} codex login\`.`
      : 'Set OPENAI_API_KEY to a valid key and restart the gateway.';
  const upstream =
    codex.auth === 'home'
      ? null
      : {
          baseUrl: codex.baseUrl,
          apiKey: profile.openaiApiKey?.reveal() ?? '',
          through: profile.through,
        };
  const scratch = opening.use(await ownScratch(config.dataDir));
  await sweepScratch(config.dataDir);
  const responses = opening.use(
    await openResponseStore({ dbPath: config.dbPath, busyLimitMs: config.store.busyTimeoutMs }),
  );
  const processes = join(settings.workdir, 'processes');
  await sweepThreadFiles(processes, { codexHome, responses });
  const own = opening.use(await ownFolder(processes));
  const threadFiles = await openThreadFiles(codexHome, own.path);
  const options: BackendOptions = {
    codexBin: found.path,
    codexHome,
    dataDir: config.dataDir,
    scratchDir: scratch.path,
    // The model proxy is on this machine; a login of Codex's own leads out.
    certificatesFile: upstream === null ? undefined : await writeOneCertificate(scratch.path),
    commandPath,
    containment,
    logger,
    sandboxMode: settings.sandboxMode,
    workdir: settings.workdir,
    maxTurns: settings.replaceAfterTurns,
    turnLimitMs: Math.min(settings.timeoutMs, settings.requestTimeoutMs),
    turnsDir: own.path,
    threadFiles,
    loginHint,
    access: modelAccess({ proxy, upstream, loginHint }),
  };
  const started: { backend: Backend | null } = { backend: null };
  const metrics = createGatewayMetrics(() => {
    const worker = started.backend?.snapshot() ?? null;
    return {
      ready: worker?.ready ?? started.backend !== null,
      restartsTotal: worker?.restartsTotal ?? 0,
      backoffMs: worker?.nextRestartDelayMs ?? 0,
    };
  });
  createModelCatalog(settings.models, codex.model);
  const backend = settings.useAppServer
    ? await startAppServerBackend(options, supervisionOf({ settings, logger }, metrics))
    : await startExecBackend(options, signal);
  started.backend = backend;
  return new Gateway({
    settings: { ...settings, model: codex.model },
    backend,
    logger,
    metrics,
    responses,
    threadFiles,
    isLoginRenewed: loginProbe({
      upstream,
      codexHome,
      onChanged: () => backend.renew(),
    }),
    isLoginMissing: upstream?.apiKey === '',
    loginProbeMs: settings.loginProbeMs,
    held: opening.move(),
  });
}

/** The login of the jobs, where there is one; a folder of its own else. */
function codexHomeOf({ gateway, codex, dataDir }: Capstan['config']): string {
  const isDefault = gateway.codexHome === join(dataDir, 'gateway', 'codex-home');
  return codex.auth === 'home' && isDefault ? codex.home : gateway.codexHome;
}

function supervisionOf(
  { settings, logger }: { readonly settings: Capstan['config']['gateway']; readonly logger: Logger },
  metrics: GatewayMetrics,
): AppServerSupervision {
  const log = workerLog(logger);
  return {
    supervisor: {
      isNextPrepared: true,
      startupTimeoutMs: Math.min(settings.startupTimeoutMs, settings.handshakeTimeoutMs),
      restart: {
        restartMax: settings.restartMax,
        windowMs: 600_000,
        backoff: { initialMs: settings.backoffInitialMs, maxMs: settings.backoffMaxMs, jitter: 0.2 },
      },
    },
    onEvent: (event) => {
      if (event.type === 'worker_ready') metrics.workerReady(event.startupLatencyMs);
      log(event);
    },
    onOutput: (stream, text) => {
      const length = typeof text === 'string' ? Buffer.byteLength(text) : text.length;
      if (stream === 'stderr')
        logger.info({ event: 'worker_output', stream, length }, 'The app-server wrote');
      else logger.trace({ event: 'worker_output', stream, length }, 'The app-server wrote');
    },
  };
}
