import { Option } from 'commander';
import { z } from 'zod';
import type { Config } from '../config/settings.ts';
import { workerDemand } from '../config/worker-settings.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { openGateway } from '../gateway/open-gateway.ts';
import { buildServer } from '../http/build-server.ts';
import type { MountedGateway } from '../http/deps.ts';
import { openAiLimits } from '../http/openai/limits.ts';
import { assertBindAllowed } from '../http/guard.ts';
import { listen } from '../http/listen.ts';
import { AppError } from '../runtime/app-error.ts';
import type { Capstan } from '../service/open-capstan.ts';
import { whenAborted } from '../runtime/wait.ts';
import { requireCodex } from '../service/doctor/examine-codex.ts';
import { keepRetention } from '../service/jobs/keep-retention.ts';
import { holdDataFolder } from '../service/workers/hold-data-folder.ts';
import { reap } from '../service/workers/reap.ts';
import { startServeWorker } from '../service/workers/start-serve-worker.ts';
import { watchUnserved } from '../service/fleet/watch-unserved.ts';
import { colorsFor } from './colors.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes, type CliContext } from './context.ts';
import { launchSurroundings } from './launch-surroundings.ts';
import { loadCliConfig, openFromCli } from './open.ts';
import { printJson } from './print-json.ts';

export const serveCommand: CliCommand = {
  define(command, act) {
    command
      .addOption(new Option('--host <address>', 'the address to listen on, instead of http.host'))
      .addOption(
        new Option('--port <port>', 'the port to listen on, instead of http.port; 0 is any free one'),
      )
      .option('--no-worker', 'serve the API alone; workers are started elsewhere')
      .option('--json', 'one JSON object on stdout once it serves: {"type":"serve.ready","url",…}')
      .action(act(serve));
  },
};

const optionsSchema = z.object({ worker: z.boolean().default(true), json: z.boolean().default(false) });

/** Serves until it is told to stop: then it refuses new work, lets its worker drain and exits 0. */
const serve: Action = async (context, _args, raw) => {
  const { worker, json } = optionsSchema.parse(raw);
  const loaded = loadCliConfig(context, raw);
  await using capstan = await openFromCli(context, raw, { quiet: false, loaded });
  const { config, logger } = capstan;
  const apiKey = config.http.apiKey?.reveal() ?? null;
  assertBindAllowed(config.http.host, apiKey);
  using _held = holdDataFolder(config.dataDir);
  const demand = workerDemand(loaded, 'codex');
  // A container brings its own Codex.
  if (worker && demand.mode === 'direct') await requireOwnCodex(capstan, context);
  await reap({ ...capstan, dataDir: config.dataDir });
  await using gateway = config.gateway.mount ? await mountableGateway(capstan, context) : null;
  const server = await buildServer({
    jobs: capstan,
    openAi: gateway === null ? undefined : mountedGateway(gateway, config),
    logger,
    guard: {
      host: config.http.host,
      apiKey,
      allowedHosts: config.http.allowedHosts,
      allowedOrigins: config.http.allowedOrigins,
    },
    version: context.version,
    stopping: context.interrupted,
  });
  await using open = new AsyncDisposableStack();
  open.defer(() => server.close());
  const url = await listen(server, config.http);
  open.use(watchUnserved(capstan));
  open.use(keepRetention(capstan));
  if (worker) {
    const surroundings = launchSurroundings(context, raw, (line) => {
      context.stderr.write(`${line}
`);
    });
    open.use(await startServeWorker(capstan, { demand, surroundings }, context.interrupted));
  }
  if (json) printJson(context.stdout, { type: 'serve.ready', url, dataDir: config.dataDir, worker });
  const colors = colorsFor(context.stderr, context.env);
  context.stderr.write(
    `Capstan serves ${colors.bold(url)} (API: ${url}/docs, data: ${config.dataDir}). Ctrl-C stops it.\n`,
  );
  await whenAborted(context.interrupted);
  logger.info({ signal: context.interrupted.reason }, 'Stopping: no new work is taken');
  await gateway?.drain();
  return exitCodes.ok;
};

/** What its own worker needs; the API does without. */
async function requireOwnCodex(capstan: Capstan, { interrupted }: CliContext): Promise<void> {
  try {
    await requireCodex(capstan, interrupted);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.kind, error.code, error.message, {
      hint: `${error.hint} Or serve without a worker for agents: --no-worker`.trimStart(),
      details: error.details,
      cause: error,
    });
  }
}

/** Null, with a warning, where this machine has no Codex: the API does without. */
async function mountableGateway(capstan: Capstan, { interrupted }: CliContext): Promise<Gateway | null> {
  try {
    return await openGateway(capstan, interrupted);
  } catch (error) {
    if (!(error instanceof AppError) || !error.code.startsWith('codex_')) throw error;
    capstan.logger.warn({ code: error.code, hint: error.hint }, `There is no /v1: ${error.message}`);
    return null;
  }
}

function mountedGateway(gateway: Gateway, { gateway: settings, http }: Config): MountedGateway {
  return {
    gateway,
    guard: { ...http, apiKey: settings.apiKey?.reveal() ?? http.apiKey?.reveal() ?? null },
    ...openAiLimits(settings),
  };
}
