/** Other spellings of the environment variables. A variable's own spelling wins over these. */
export const environmentAliases: Readonly<Record<string, string>> = {
  CAPSTAN_DATA: 'data_dir',
  CODEX_BIN: 'codex.bin',
  CODEX_MODEL: 'codex.model',
  CODEX_HOME: 'gateway.codex_home',
  PORT: 'gateway.port',
  PROXY_API_KEY: 'gateway.api_key',
  PROXY_CODEX_WORKDIR: 'gateway.workdir',
  PROXY_ENABLE_METRICS: 'gateway.enable_metrics',
  PROXY_HOST: 'gateway.host',
  PROXY_IDLE_TIMEOUT_MS: 'gateway.idle_timeout',
  PROXY_MAX_CHAT_CHOICES: 'gateway.max_choices',
  PROXY_RATE_LIMIT_ENABLED: 'gateway.rate_limit_enabled',
  PROXY_RATE_LIMIT_MAX: 'gateway.rate_limit_max',
  PROXY_RATE_LIMIT_WINDOW_MS: 'gateway.rate_limit_window',
  PROXY_SANDBOX_MODE: 'gateway.sandbox_mode',
  PROXY_SSE_KEEPALIVE_MS: 'gateway.keepalive',
  PROXY_STREAM_IDLE_TIMEOUT_MS: 'gateway.stream_idle_timeout',
  PROXY_TIMEOUT_MS: 'gateway.timeout',
  PROXY_USE_APP_SERVER: 'gateway.use_app_server',
  WORKER_BACKOFF_INITIAL_MS: 'gateway.backoff_initial',
  WORKER_BACKOFF_MAX_MS: 'gateway.backoff_max',
  WORKER_HANDSHAKE_TIMEOUT_MS: 'gateway.handshake_timeout',
  WORKER_MAX_CONCURRENCY: 'gateway.max_concurrency',
  WORKER_REQUEST_TIMEOUT_MS: 'gateway.request_timeout',
  WORKER_RESTART_MAX: 'gateway.restart_max',
  WORKER_SHUTDOWN_GRACE_MS: 'gateway.shutdown_grace',
  WORKER_STARTUP_TIMEOUT_MS: 'gateway.startup_timeout',
};

/** Prefixes that stand for `CAPSTAN_`; variables with these that name no setting belong to somebody else. */
export const environmentPrefixAliases = ['CLX_'] as const;

/** Short flags, beside the long one that every setting has (`--codex-model`). A command offers those that fit it. */
export const flagAliases: Readonly<Record<string, string>> = {
  'codex-workers': 'workers.codex.count',
  concurrency: 'worker.concurrency',
  'drawio-workers': 'workers.drawio.count',
  host: 'http.host',
  model: 'codex.model',
  network: 'codex.network',
  'notebook-workers': 'workers.notebook.count',
  'plantuml-workers': 'workers.plantuml.count',
  port: 'http.port',
  timeout: 'codex.timeout',
  'worker-count': 'workers.default_worker_count',
  workers: 'workers.default_execution_mode',
};

/**
 * `CAPSTAN_` variables that are no settings. Child processes get them, and may call `capstan` again: the attempt that a
 * command belongs to, and what tells the processes of a test run.
 */
export const reservedEnvironment: readonly string[] = [
  'CAPSTAN_ATTEMPT',
  'CAPSTAN_TEST_RUN',
  'CAPSTAN_TEST_LEFTOVERS',
];
