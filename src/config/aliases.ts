/** Other spellings of the environment variables. A variable's own spelling wins over these. */
export const environmentAliases: Readonly<Record<string, string>> = {
  CAPSTAN_DATA: 'data_dir',
  CODEX_BIN: 'codex.bin',
  CODEX_MODEL: 'codex.model',
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
