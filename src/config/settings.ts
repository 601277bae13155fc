import { join } from 'node:path';
import { sandboxModes } from '../contract/codex-job.ts';
import { executionModes } from '../domain/launcher.ts';
import { gatewaySettings } from './gateway-settings.ts';
import {
  choice,
  duration,
  httpUrl,
  integer,
  list,
  optionalChoice,
  optionalDuration,
  optionalInteger,
  path,
  program,
  secret,
  text,
  toggle,
  trustedOnly,
  type Setting,
} from './setting.ts';
import { toolSettings } from './tool-settings.ts';

const hour = 3_600_000;
const week = 7 * 24 * hour;
const tenYears = 3_650 * 24 * hour;
const kept = { min: 1000, max: tenYears, otherwise: 'not set: they are kept' } as const;

/** What `[workers.<type>]` may say. */
function workerType(type: string) {
  return {
    executionMode: optionalChoice(executionModes, {
      otherwise: 'workers.default_execution_mode',
      description: `How ${type} workers run.`,
    }),
    count: optionalInteger({
      min: 0,
      max: 64,
      otherwise: 'workers.default_worker_count',
      description: `How many ${type} workers are started; 0 is none.`,
    }),
    image: trustedOnly(
      text({
        fallback: null,
        description: `The image of ${type} workers in docker mode, which needs one.`,
      }),
    ),
  };
}

/** Every setting there is. A key is the property in `Config`; its name in files is the same in snake_case, a duration's without `_ms`. */
export const settings = {
  dataDir: path({
    fallback: ({ dataDir }) => dataDir,
    shownDefault: "db_path's folder, else the nearest .capstan/ upwards, else $XDG_DATA_HOME/capstan",
    description: 'Folder of the store, artifacts and workspaces.',
  }),
  dbPath: path({
    fallback: ({ dbPath }) => dbPath,
    shownDefault: 'capstan.db in data_dir',
    description: 'The SQLite file. Its folder becomes data_dir where data_dir is not said as strongly.',
  }),
  trustedProjects: trustedOnly(
    list({
      fallback: [],
      description:
        "Folders whose own .capstan/config.toml may say the settings that are marked 'not from an untrusted project'.",
    }),
  ),
  log: {
    level: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      fallback: 'info',
      description: 'The least severe log lines that are written.',
    }),
    format: choice(['auto', 'text', 'json'], {
      fallback: 'auto',
      description: 'How log lines look; auto is text in a terminal and json elsewhere.',
    }),
  },
  codex: {
    bin: program({
      fallback: null,
      description: 'The Codex binary. Not set: that of the installed package, then codex on PATH.',
    }),
    home: trustedOnly(
      path({
        fallback: ({ dataDir }) => join(dataDir, 'codex-home'),
        shownDefault: 'codex-home in data_dir',
        description: "CODEX_HOME of the agents. The user's own is refused unless codex.auth is home.",
      }),
    ),
    auth: trustedOnly(
      choice(['profile', 'home'], {
        fallback: 'profile',
        description: "Where the model's key comes from: the profile, or a login kept in codex.home.",
      }),
    ),
    model: text({ fallback: 'gpt-5.5', description: 'The model of jobs that name none.' }),
    baseUrl: trustedOnly(
      httpUrl({
        fallback: 'https://api.openai.com/v1',
        description: "The model provider's address.",
      }),
    ),
    driver: choice(['app-server', 'exec'], {
      fallback: 'app-server',
      description: 'One supervised app-server for all jobs, or one codex exec for each.',
    }),
    sandboxMode: choice(sandboxModes, {
      fallback: 'workspace-write',
      description: "What the agent's commands may write. danger-full-access needs codex.allow_danger.",
    }),
    allowDanger: trustedOnly(
      toggle({
        fallback: false,
        description: 'Says that danger-full-access is meant: the worker itself is isolated.',
      }),
    ),
    network: trustedOnly(
      toggle({
        fallback: false,
        description: "Whether the agent's commands may reach the network where a job does not say.",
      }),
    ),
    stallTimeoutMs: duration({
      fallback: 600_000,
      min: 1000,
      max: week,
      description: 'A job without any progress for this long ends as stalled.',
    }),
    timeoutMs: duration({
      fallback: hour,
      min: 1000,
      max: week,
      description: 'The longest that one attempt may take.',
    }),
  },
  http: {
    host: trustedOnly(
      text({
        fallback: '127.0.0.1',
        description: 'The address to listen on. Any but loopback needs http.api_key.',
      }),
    ),
    port: integer({
      fallback: 8081,
      min: 0,
      max: 65_535,
      description: 'The port to listen on; 0 is any free one.',
    }),
    apiKey: secret({ description: 'The key that callers must present.' }),
    allowedHosts: trustedOnly(
      list({
        fallback: [],
        description: 'Host names that requests may carry, besides loopback and http.host.',
      }),
    ),
    allowedOrigins: trustedOnly(
      list({
        fallback: [],
        description: "Origins whose pages may call the API, besides the server's own.",
      }),
    ),
  },
  gateway: gatewaySettings,
  worker: {
    concurrency: integer({
      fallback: 2,
      min: 1,
      max: 256,
      description: 'Jobs that one worker runs at once.',
    }),
    leaseMs: duration({
      fallback: 30_000,
      min: 1000,
      max: hour,
      description: 'How long a job stays with a worker that no longer says that it lives.',
    }),
    drainGraceMs: duration({
      fallback: 30_000,
      min: 0,
      max: 24 * hour,
      description: 'How long a stopping worker may finish its jobs before it hands them back.',
    }),
  },
  workers: {
    defaultExecutionMode: choice(executionModes, {
      fallback: 'direct',
      description:
        'How workers run that are started for a build or as services: as processes, or in containers.',
    }),
    defaultWorkerCount: integer({
      fallback: 1,
      min: 0,
      max: 64,
      description: 'How many workers of each type are started.',
    }),
    autoStart: toggle({
      fallback: true,
      description: 'Whether a build starts the workers that it needs and that do not run yet.',
    }),
    startRetries: integer({
      fallback: 3,
      min: 0,
      max: 20,
      description: 'How often the start of a worker is tried again.',
    }),
    startTimeoutMs: duration({
      fallback: 60_000,
      min: 1000,
      max: hour,
      description: 'How long a worker may take until it takes jobs.',
    }),
    stopTimeoutMs: duration({
      fallback: 30_000,
      min: 0,
      max: hour,
      description: 'How long a service may finish its jobs when it is stopped; then it is killed.',
    }),
    networkName: trustedOnly(
      text({
        fallback: 'capstan_app-network',
        description: 'The Docker network of workers in containers; made where it is missing.',
      }),
    ),
    pull: choice(['missing', 'never'], {
      fallback: 'missing',
      description: 'Whether an image that is not there is pulled.',
    }),
    memoryMb: optionalInteger({
      min: 128,
      max: 1_048_576,
      otherwise: 'all there is',
      description: 'The memory that a worker in a container may use, in MiB; one that needs more is killed.',
    }),
    cpus: optionalInteger({
      min: 1,
      max: 1024,
      otherwise: 'all there are',
      description: 'The processors that a worker in a container may use.',
    }),
    codex: workerType('codex'),
    plantuml: workerType('plantuml'),
    notebook: workerType('notebook'),
    drawio: workerType('drawio'),
  },
  retention: {
    succeededMs: optionalDuration({
      ...kept,
      description:
        'How long `capstan serve` keeps jobs that succeeded, with their artifacts; those that a build remembers stay.',
    }),
    failedMs: optionalDuration({
      ...kept,
      description:
        'How long `capstan serve` keeps jobs that failed or were cancelled, with the copy of their folder that `jobs retry` needs.',
    }),
  },
  tools: toolSettings,
  store: {
    busyTimeoutMs: duration({
      fallback: 5000,
      min: 0,
      max: hour,
      description: 'How long a statement waits for a locked database.',
    }),
  },
} as const satisfies SettingGroup;

export interface SettingGroup {
  readonly [key: string]: Setting<unknown> | SettingGroup;
}

type ConfigOf<Group> = {
  readonly [Key in keyof Group]: Group[Key] extends Setting<infer Value> ? Value : ConfigOf<Group[Key]>;
};

/** What the whole program is set to: frozen, validated, durations in milliseconds, paths absolute. */
export type Config = ConfigOf<typeof settings>;
