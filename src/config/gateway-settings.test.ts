import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from './load-config.ts';
import type { Config } from './settings.ts';

const nowhere = join(tmpdir(), 'capstan-no-such-folder');

function load(environment: Readonly<Record<string, string>>): Config {
  const paths = {
    home: nowhere,
    userConfigFile: join(nowhere, 'user.toml'),
    systemConfigFile: join(nowhere, 'system.toml'),
    userDataDir: join(nowhere, 'data'),
  };
  return loadConfig({ flags: {}, environment, cwd: nowhere, paths }).config;
}

/** Every name that the gateway is documented with, a value, and where it arrives. */
const names: readonly (readonly [string, string, (config: Config) => unknown, unknown, unknown])[] = [
  ['PORT', '9000', ({ gateway }) => gateway.port, 9000, 11_435],
  ['PROXY_HOST', '127.0.0.2', ({ gateway }) => gateway.host, '127.0.0.2', '127.0.0.1'],
  ['PROXY_API_KEY', 'key-1', ({ gateway }) => gateway.apiKey?.reveal() ?? null, 'key-1', null],
  ['CODEX_BIN', '/opt/codex', ({ codex }) => codex.bin, '/opt/codex', null],
  [
    'CODEX_HOME',
    '/srv/codex',
    ({ gateway }) => gateway.codexHome,
    '/srv/codex',
    join(nowhere, 'data/gateway/codex-home'),
  ],
  ['CODEX_MODEL', 'gpt-x', ({ codex }) => codex.model, 'gpt-x', 'gpt-5.5'],
  ['PROXY_USE_APP_SERVER', 'false', ({ gateway }) => gateway.useAppServer, false, true],
  [
    'PROXY_SANDBOX_MODE',
    'workspace-write',
    ({ gateway }) => gateway.sandboxMode,
    'workspace-write',
    'read-only',
  ],
  [
    'PROXY_CODEX_WORKDIR',
    '/srv/work',
    ({ gateway }) => gateway.workdir,
    '/srv/work',
    join(nowhere, 'data/gateway/work'),
  ],
  ['PROXY_TIMEOUT_MS', '1000', ({ gateway }) => gateway.timeoutMs, 1000, 300_000],
  ['PROXY_IDLE_TIMEOUT_MS', '1000', ({ gateway }) => gateway.idleTimeoutMs, 1000, 120_000],
  ['PROXY_STREAM_IDLE_TIMEOUT_MS', '1000', ({ gateway }) => gateway.streamIdleTimeoutMs, 1000, 300_000],
  ['PROXY_SSE_KEEPALIVE_MS', '1000', ({ gateway }) => gateway.keepaliveMs, 1000, 15_000],
  ['PROXY_RATE_LIMIT_ENABLED', 'true', ({ gateway }) => gateway.rateLimitEnabled, true, false],
  ['PROXY_RATE_LIMIT_WINDOW_MS', '1000', ({ gateway }) => gateway.rateLimitWindowMs, 1000, 60_000],
  ['PROXY_RATE_LIMIT_MAX', '7', ({ gateway }) => gateway.rateLimitMax, 7, 60],
  ['PROXY_ENABLE_METRICS', 'false', ({ gateway }) => gateway.enableMetrics, false, true],
  ['PROXY_MAX_CHAT_CHOICES', '3', ({ gateway }) => gateway.maxChoices, 3, 5],
  ['WORKER_MAX_CONCURRENCY', '9', ({ gateway }) => gateway.maxConcurrency, 9, 4],
  ['WORKER_REQUEST_TIMEOUT_MS', '1000', ({ gateway }) => gateway.requestTimeoutMs, 1000, 300_000],
  ['WORKER_STARTUP_TIMEOUT_MS', '1000', ({ gateway }) => gateway.startupTimeoutMs, 1000, 8000],
  ['WORKER_HANDSHAKE_TIMEOUT_MS', '1000', ({ gateway }) => gateway.handshakeTimeoutMs, 1000, 15_000],
  ['WORKER_BACKOFF_INITIAL_MS', '10', ({ gateway }) => gateway.backoffInitialMs, 10, 500],
  ['WORKER_BACKOFF_MAX_MS', '10', ({ gateway }) => gateway.backoffMaxMs, 10, 5000],
  ['WORKER_RESTART_MAX', '3', ({ gateway }) => gateway.restartMax, 3, 25],
  ['WORKER_SHUTDOWN_GRACE_MS', '10', ({ gateway }) => gateway.shutdownGraceMs, 10, 5000],
];

test.each(names)('%s is read, and has its default without it', (...row) => {
  const [name, text, read, said, fallback] = row;
  expect(read(load({ [name]: text }))).toEqual(said);
  expect(read(load({}))).toEqual(fallback);
});
