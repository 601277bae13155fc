import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../src/config/load-config.ts';
import type { Logger } from '../src/domain/logger.ts';
import type { Gateway } from '../src/gateway/gateway.ts';
import { openGateway } from '../src/gateway/open-gateway.ts';
import { buildGatewayServer } from '../src/http/build-gateway-server.ts';
import { listen } from '../src/http/listen.ts';
import { openAiLimits } from '../src/http/openai/limits.ts';
import { Secret } from '../src/runtime/secret.ts';
import type { FigureContext } from './support/figure.ts';
import { key } from './support/places.ts';

export const silent: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

export interface BenchGateway {
  readonly gateway: Gateway;
  readonly url: string;
}

/** A ready gateway in this process, over HTTP; it goes with `sides`. */
export async function openBenchGateway(
  { dir }: FigureContext,
  given: { readonly baseUrl: string; readonly env?: Readonly<Record<string, string>> },
  sides: AsyncDisposableStack,
): Promise<BenchGateway> {
  const environment = {
    CAPSTAN_DATA: path.join(dir, 'gateway'),
    CAPSTAN_CODEX__BASE_URL: given.baseUrl,
    CAPSTAN_GATEWAY__PORT: '0',
    WORKER_MAX_CONCURRENCY: '16',
    ...given.env,
  };
  const nowhere = path.join(dir, 'nowhere');
  const paths = { home: nowhere, userConfigFile: nowhere, systemConfigFile: nowhere, userDataDir: nowhere };
  const { config } = loadConfig({ flags: {}, environment, cwd: dir, paths });
  await mkdir(config.dataDir, { recursive: true });
  const profile = { openaiApiKey: new Secret(key) };
  const gateway = sides.use(
    await openGateway(
      { config, profile, commandPath: process.env['PATH'] ?? '', logger: silent },
      AbortSignal.timeout(30_000),
    ),
  );
  const server = await buildGatewayServer({
    gateway,
    logger: silent,
    guard: { host: '127.0.0.1', apiKey: null, allowedHosts: [], allowedOrigins: [] },
    ...openAiLimits(config.gateway),
  });
  sides.defer(() => server.close());
  const url = await listen(server, { host: '127.0.0.1', port: 0 });
  await whenReady(gateway);
  return { gateway, url };
}

export async function whenReady(gateway: Gateway): Promise<void> {
  while (gateway.readiness !== 'ready') await new Promise((resolve) => setTimeout(resolve, 2));
}

export function chatBody(content: string, stream: boolean): string {
  return JSON.stringify({ model: 'codex-5', stream, messages: [{ role: 'user', content }] });
}
