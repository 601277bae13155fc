import { Option } from 'commander';
import { openGateway } from '../gateway/open-gateway.ts';
import { buildGatewayServer } from '../http/build-gateway-server.ts';
import { assertBindAllowed } from '../http/guard.ts';
import { openAiLimits } from '../http/openai/limits.ts';
import { listen } from '../http/listen.ts';
import { whenAborted } from '../runtime/wait.ts';
import { colorsFor } from './colors.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes } from './context.ts';
import { openFromCli } from './open.ts';
import { printJson } from './print-json.ts';

export const gatewayCommand: CliCommand = {
  define(command, act) {
    command
      .addOption(new Option('--host <address>', 'the address to listen on, instead of gateway.host'))
      .addOption(
        new Option('--port <port>', 'the port to listen on, instead of gateway.port; 0 is any free one'),
      )
      .option('--json', 'one JSON object on stdout once it listens: {"type":"gateway.ready","url"}')
      .action(act(serveGateway));
  },
};

/** Serves until it is told to stop: then it refuses new work, lets requests in flight finish within their grace and exits 0. */
const serveGateway: Action = async (context, _args, { host, port, json, ...raw }) => {
  const flags = { ...raw, gatewayHost: host, gatewayPort: port };
  await using capstan = await openFromCli(context, flags, { quiet: false });
  const { gateway: settings, http } = capstan.config;
  const apiKey = settings.apiKey?.reveal() ?? null;
  assertBindAllowed(settings.host, apiKey, 'PROXY_API_KEY');
  await using gateway = await openGateway(capstan, context.interrupted);
  const server = await buildGatewayServer({
    gateway,
    logger: capstan.logger,
    guard: {
      host: settings.host,
      apiKey,
      allowedHosts: http.allowedHosts,
      allowedOrigins: http.allowedOrigins,
    },
    ...openAiLimits(settings),
  });
  await using open = new AsyncDisposableStack();
  open.defer(() => server.close());
  const url = await listen(server, settings);
  if (json === true) printJson(context.stdout, { type: 'gateway.ready', url });
  const colors = colorsFor(context.stderr, context.env);
  context.stderr.write(
    `Capstan's gateway listens on ${colors.bold(`${url}/v1`)} (health: ${url}/healthz). Ctrl-C stops it.\n`,
  );
  await whenAborted(context.interrupted);
  // Probes see that it is not ready while what is in flight finishes.
  await gateway.drain();
  return exitCodes.ok;
};
