import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '../../domain/logger.ts';
import { createSupervisor } from '../../supervisor/supervisor.ts';
import type { Supervisor, SupervisorEvent, SupervisorOptions } from '../../supervisor/supervisor-options.ts';
import { codexEnvironment, type CodexProcessOptions } from '../codex-process-options.ts';
import { versionIn, versionWarning } from '../protocol/version-warning.ts';
import { AppServerClient } from './app-server-client.ts';
import { LimitedLines } from './limited-lines.ts';

export type { CodexProcessOptions } from '../codex-process-options.ts';

/** How this one is kept alive and told of, where it is not as usual. */
export interface AppServerSupervision {
  readonly supervisor?: Pick<
    SupervisorOptions<AppServerClient>,
    'startupTimeoutMs' | 'restart' | 'graces' | 'stableMs' | 'isNextPrepared'
  >;
  /** Instead of a line in the log for each. */
  readonly onEvent?: (event: SupervisorEvent) => void;
  /** What it writes, besides its messages being read; of stderr some lines a second. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', text: Buffer | string) => void;
  /** How long a thread that nobody listens to stays in memory. */
  readonly unloadDelaySeconds?: number;
}

/** One supervised app-server, with a folder of its own that goes with it. */
export interface AppServerProcess extends AsyncDisposable {
  readonly supervisor: Supervisor<AppServerClient>;
}

const linesASecond = 20;

export async function startAppServer(
  options: CodexProcessOptions,
  supervision: AppServerSupervision = {},
): Promise<AppServerProcess> {
  const { onOutput, unloadDelaySeconds = 1 } = supervision;
  const { codexBin, codexHome, scratchDir, logger } = options;
  await mkdir(codexHome, { recursive: true, mode: 0o700 });
  await mkdir(scratchDir, { recursive: true, mode: 0o700 });
  const sqliteHome = await mkdtemp(path.join(scratchDir, 'app-server-'));
  const stderrLines = new LimitedLines({
    max: linesASecond,
    windowMs: 1000,
    onLine: (line) => {
      logger.debug({ line }, 'app-server');
      onOutput?.('stderr', line);
    },
    onLeftOut: ({ lines, bytes }) => {
      const facts = { event: 'worker_output_left_out', stream: 'stderr', lines, length: bytes };
      logger.warn(facts, 'The app-server writes more than is logged');
    },
  });
  const faults = new LimitedLines({
    max: linesASecond,
    windowMs: 1000,
    onLine: (fault) => {
      logger.warn({ fault: fault.split(':')[0] }, 'the app-server sent what could not be used');
      // It may be what somebody asked or was answered.
      logger.debug({ fault }, 'the app-server sent what could not be used');
    },
    onLeftOut: ({ lines }) => {
      logger.warn({ faults: lines }, 'the app-server sent more that could not be used');
    },
  });
  const supervisor = createSupervisor(
    {
      command: codexBin,
      args: appServerArgs(sqliteHome, unloadDelaySeconds),
      // Codex leaves folders of its own in TMPDIR: they go with the process.
      env: { ...codexEnvironment(options), TMPDIR: sqliteHome },
      cwd: codexHome,
    },
    {
      ...supervision.supervisor,
      ready: async (child, signal) => {
        if (onOutput !== undefined) {
          child.onOutput((chunk) => {
            onOutput('stdout', chunk);
          });
        }
        const client = new AppServerClient(child, (fault) => {
          faults.push(`${fault.kind}: ${fault.detail}`);
        });
        await client.initialize(signal);
        const warning = versionWarning(versionIn(client.userAgent) ?? 'of an unknown version');
        if (warning !== null) logger.warn({ userAgent: client.userAgent }, warning);
        return client;
      },
      containment: options.containment,
      onEvent:
        supervision.onEvent ??
        ((event) => {
          logEvent(logger, event);
        }),
      onStderrLine: (line) => {
        stderrLines.push(line);
      },
    },
  );
  supervisor.start();
  return {
    supervisor,
    async [Symbol.asyncDispose]() {
      await supervisor.stop();
      for (const lines of [stderrLines, faults]) lines[Symbol.dispose]();
      await rm(sqliteHome, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function appServerArgs(sqliteHome: string, unloadDelaySeconds: number): string[] {
  const settings = {
    // A thread that nobody listens to would stay in memory for half an hour.
    thread_unload_delay_secs: String(unloadDelaySeconds),
    sqlite_home: JSON.stringify(sqliteHome),
    check_for_update_on_startup: 'false',
    'analytics.enabled': 'false',
    // Off in every thread as well; here it spares a sixth of the start.
    'features.plugins': 'false',
  };
  return ['app-server', ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])];
}

function logEvent(logger: Logger, event: SupervisorEvent): void {
  const bad = event.type === 'worker_restart_limit' || (event.type === 'worker_exit' && event.code !== 0);
  if (bad) logger.warn({ event }, `app-server: ${event.type}`);
  else logger.debug({ event }, `app-server: ${event.type}`);
}
