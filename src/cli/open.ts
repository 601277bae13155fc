import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { createLogger } from '../telemetry/create-logger.ts';
import { secrets } from '../telemetry/secrets.ts';
import { readEnvironment, type Environment, type ReadEnvironment } from '../config/environment.ts';
import { loadConfig, type LoadedConfig } from '../config/load-config.ts';
import { findKeyFiles, loadProfile } from '../config/load-profile.ts';
import { platformPaths } from '../config/platform-paths.ts';
import { openCapstan, type Capstan } from '../service/open-capstan.ts';
import { knownTypes } from '../service/types/known-types.ts';
import { AppError } from '../runtime/app-error.ts';
import type { CliContext } from './context.ts';
import { noteProjectSettings } from './note-project-settings.ts';

type Options = Readonly<Record<string, unknown>>;

/** The configuration, and the environment that it was read from. */
export interface CliConfig extends LoadedConfig {
  readonly read: ReadEnvironment;
}

/** The configuration as flags, environment and files say it. Throws `invalid_configuration`. */
export function loadCliConfig(context: CliContext, options: Options, handed?: Environment): CliConfig {
  const read = readEnvironment(context.cwd, handed);
  const { environment } = read;
  const paths = platformPaths({ name: process.platform, home: homedir(), environment });
  return { ...loadConfig({ flags: options, environment, cwd: context.cwd, paths }), read };
}

export interface OpenCliOptions {
  /** The least severe log lines where nobody set a level: a command that answers a person stays quiet. */
  readonly quiet: boolean;
  /** The configuration, where the command has it already. */
  readonly loaded?: CliConfig;
  /** A database that a flag or the environment names has to be there: who only looks makes none by a slip. */
  readonly existing?: boolean;
  /** This process runs in a container that a launcher made. */
  readonly contained?: boolean;
  /** The keys that whoever started this worker has given to it, by the names of their variables. */
  readonly handed?: Environment;
}

/** Configuration, logger and an open data folder for one command; the caller disposes it. */
export async function openFromCli(
  context: CliContext,
  options: Options,
  { quiet, contained = false, existing = false, loaded: given, handed }: OpenCliOptions,
): Promise<Capstan> {
  const loaded = given ?? loadCliConfig(context, options, handed);
  const { config, origins, read } = loaded;
  if (existing) requireNamedDatabase(loaded);
  for (const note of noteProjectSettings(loaded)) context.stderr.write(`note: ${note}\n`);
  const profile = loadProfile(read.environment, findKeyFiles(read, homedir()));
  if (profile.openaiApiKey !== null) secrets.add(profile.openaiApiKey.reveal());
  for (const proxy of Object.values(profile.through ?? {})) {
    const password = URL.parse(proxy)?.password ?? '';
    if (password !== '') secrets.add(decodeURIComponent(password));
  }
  if (config.http.apiKey !== null) secrets.add(config.http.apiKey.reveal());
  if (config.gateway.apiKey !== null) secrets.add(config.gateway.apiKey.reveal());
  const chosen = origins.get('log.level')?.layer !== 'default';
  const level = quiet && !chosen ? 'error' : config.log.level;
  const logger = createLogger({ level, format: config.log.format, destination: context.stderr });
  const types = context.workerTypes ?? knownTypes;
  return openCapstan({
    config,
    profile,
    logger,
    commandPath: context.env['PATH'] ?? '',
    environment: context.env,
    contained,
    jobTypes: (deps) => new Map([...types.values()].flatMap(({ jobTypes }) => [...jobTypes(deps)])),
  });
}

function requireNamedDatabase({ config: { dbPath }, origins }: LoadedConfig): void {
  const { layer, where } = origins.get('db_path') ?? { layer: 'default', where: 'default' };
  if (layer === 'flag' || layer === 'environment') {
    if (existsSync(dbPath)) return;
    throw new AppError('configuration', 'store_missing', `There is no database ${dbPath} (${where}).`, {
      hint: 'Correct its path; the first job or worker makes one.',
    });
  }
}
