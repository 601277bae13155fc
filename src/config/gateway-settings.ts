import { join } from 'node:path';
import { choice, duration, integer, list, path, secret, text, toggle, trustedOnly } from './setting.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const limit = { min: 100, max: 24 * hour } as const;

/** The OpenAI-compatible gateway: `capstan gateway`, and /v1 of `capstan serve`. */
export const gatewaySettings = {
  host: trustedOnly(
    text({
      fallback: '127.0.0.1',
      description:
        'The address that `capstan gateway` listens on. Any but loopback needs gateway.api_key. Under `capstan serve`, http.host counts.',
    }),
  ),
  port: integer({
    fallback: 11_435,
    min: 0,
    max: 65_535,
    description: 'The port that `capstan gateway` listens on; 0 is any free one.',
  }),
  apiKey: secret({
    description:
      'The key that callers of the gateway must present. Not set: under `capstan serve`, http.api_key.',
  }),
  mount: toggle({
    fallback: true,
    description: 'Whether `capstan serve` offers the gateway under /v1.',
  }),
  codexHome: trustedOnly(
    path({
      fallback: ({ dataDir }) => join(dataDir, 'gateway', 'codex-home'),
      shownDefault: 'gateway/codex-home in data_dir; codex.home where codex.auth is home',
      description: "CODEX_HOME of the gateway's Codex: its threads, and its login where codex.auth is home.",
    }),
  ),
  models: list({
    fallback: ['codex-5', 'codex-5-low=low', 'codex-5-medium=medium', 'codex-5-high=high'],
    description:
      'Names under which codex.model is offered besides its own; NAME=EFFORT also sets the reasoning effort.',
  }),
  useAppServer: toggle({
    fallback: true,
    description: 'One supervised app-server for all requests; false: one `codex exec` for each.',
  }),
  sandboxMode: choice(['read-only', 'workspace-write'], {
    fallback: 'read-only',
    description:
      "What a request's agent may do: answer only, or also run commands in an empty folder of its own, where it sees nothing else but the system's programs.",
  }),
  workdir: path({
    fallback: ({ dataDir }) => join(dataDir, 'gateway', 'work'),
    shownDefault: 'gateway/work in data_dir',
    description: 'Where the empty folders of the requests are made.',
  }),
  timeoutMs: duration({
    fallback: 5 * minute,
    ...limit,
    description: 'The longest that one request may take, from its arrival.',
  }),
  requestTimeoutMs: duration({
    fallback: 5 * minute,
    ...limit,
    description:
      'The longest that Codex may work on one request; the smaller of it and gateway.timeout counts.',
  }),
  idleTimeoutMs: duration({
    fallback: 2 * minute,
    ...limit,
    description: 'How long Codex may say nothing about a plain request.',
  }),
  streamIdleTimeoutMs: duration({
    fallback: 5 * minute,
    ...limit,
    description: 'How long Codex may say nothing about a streamed request.',
  }),
  keepaliveMs: duration({
    fallback: 15 * second,
    min: 100,
    max: hour,
    description: 'How often a silent stream gets a comment.',
  }),
  maxConcurrency: integer({
    fallback: 4,
    min: 1,
    max: 1024,
    description: 'Requests that Codex works on at once.',
  }),
  queueLimit: integer({
    fallback: 16,
    min: 0,
    max: 10_000,
    description: 'Requests that may wait for a slot; further ones get 429 at once.',
  }),
  queueWaitMs: duration({
    fallback: 2 * second,
    min: 0,
    max: hour,
    description: 'How long a request waits for a slot before it gets 429.',
  }),
  maxChoices: integer({
    fallback: 5,
    min: 1,
    max: 20,
    description: 'The greatest `n` of a chat completion.',
  }),
  maxBodyBytes: integer({
    fallback: 20_000_000,
    min: 1,
    max: 500_000_000,
    description: 'The largest request body.',
  }),
  rateLimitEnabled: toggle({
    fallback: false,
    description: 'Whether requests are counted by key, or by address where there is none.',
  }),
  rateLimitWindowMs: duration({
    fallback: minute,
    min: 100,
    max: 24 * hour,
    description: 'The time in which gateway.rate_limit_max requests are allowed.',
  }),
  rateLimitMax: integer({
    fallback: 60,
    min: 1,
    max: 1_000_000,
    description: 'Requests of one key within gateway.rate_limit_window.',
  }),
  enableMetrics: toggle({
    fallback: true,
    description: 'Whether there is /metrics: for this machine, and for who has the key.',
  }),
  responseRetentionMs: duration({
    fallback: 30 * 24 * hour,
    min: minute,
    max: 365 * 24 * hour,
    description: 'How long a stored response can be continued with previous_response_id.',
  }),
  loginProbeMs: duration({
    fallback: 15 * second,
    ...limit,
    description: 'How often a login that the provider refused is looked at again.',
  }),
  startupTimeoutMs: duration({
    fallback: 8 * second,
    ...limit,
    description: 'From a start of the app-server to its readiness.',
  }),
  handshakeTimeoutMs: duration({
    fallback: 15 * second,
    ...limit,
    description:
      "The app-server's answer to `initialize`; the smaller of it and gateway.startup_timeout counts.",
  }),
  backoffInitialMs: duration({
    fallback: 500,
    min: 1,
    max: hour,
    description: 'The wait before the second restart of the app-server in a row; the first comes at once.',
  }),
  backoffMaxMs: duration({
    fallback: 5 * second,
    min: 1,
    max: hour,
    description: 'The longest wait before a restart of the app-server.',
  }),
  restartMax: integer({
    fallback: 25,
    min: 0,
    max: 10_000,
    description: 'Restarts of the app-server within any ten minutes.',
  }),
  replaceAfterTurns: integer({
    fallback: 25_000,
    min: 0,
    max: 100_000_000,
    description:
      'Turns after which the app-server is replaced by a fresh one; what it has begun it also ends. 0: never.',
  }),
  shutdownGraceMs: duration({
    fallback: 5 * second,
    min: 0,
    max: hour,
    description: 'How long requests in flight may go on when the gateway is told to stop.',
  }),
} as const;
