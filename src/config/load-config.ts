import { join } from 'node:path';
import { AppError } from '../runtime/app-error.ts';
import { checkTrust } from './check-trust.ts';
import { checkRules } from './check-rules.ts';
import type { Environment } from './environment.ts';
import { findUpwards } from './find-upwards.ts';
import { emptyLayer, type Layer, type Origin, type Problem, type Said } from './layer.ts';
import { isSetting, namedSettings, spellKey } from './named-settings.ts';
import type { PlatformPaths } from './platform-paths.ts';
import { readEnvironmentLayer } from './read-environment-layer.ts';
import { readFileLayer } from './read-file-layer.ts';
import { readFlagLayer, type Flags } from './read-flag-layer.ts';
import { resolveFolders, resolvePath, type Resolved } from './resolve-folders.ts';
import type { Setting } from './setting.ts';
import { settings, type Config, type SettingGroup } from './settings.ts';

export interface ConfigSources {
  readonly flags: Flags;
  readonly environment: Environment;
  readonly cwd: string;
  readonly paths: PlatformPaths;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where each value comes from, by the setting's name. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/**
 * One frozen configuration from flags > environment > project file > user file > system file > defaults.
 * Throws `invalid_configuration` with every problem of every layer in `details.problems` ({name, origin, message});
 * also what a stronger layer overrides must be right.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const projectFile = findUpwards(sources.cwd, join('.capstan', 'config.toml'), 'file');
  const layers = readLayers(sources, projectFile);
  const problems = layers.flatMap((layer) => layer.problems);
  const invalid = new Set<string>();
  const given = new Map<string, Resolved>();
  for (const said of layers.flatMap((layer) => layer.said)) {
    const { name, setting } = said.named;
    const parsed = setting.schema.safeParse(said.value);
    if (parsed.success) {
      if (!given.has(name))
        given.set(name, { value: absolute(said, parsed.data, sources), origin: said.origin });
    } else {
      invalid.add(name);
      const message = parsed.error.issues[0]?.message ?? 'is not valid';
      problems.push({ name, origin: said.origin.where, message });
    }
  }
  if (projectFile !== null) {
    const { home } = sources.paths;
    problems.push(...checkTrust(given, { cwd: sources.cwd, home, projectFile }));
  }
  const loaded = complete(given, sources);
  const around = { environment: sources.environment, home: sources.paths.home };
  for (const { name, message } of checkRules(loaded.config, around, invalid)) {
    problems.push({ name, origin: loaded.origins.get(name)?.where ?? 'default', message });
  }
  if (problems.length > 0) throw invalidConfiguration(problems);
  return loaded;
}

function readLayers(
  { flags, environment, cwd, paths }: ConfigSources,
  projectFile: string | null,
): readonly Layer[] {
  return [
    readFlagLayer(flags, cwd),
    readEnvironmentLayer(environment, cwd),
    projectFile === null ? emptyLayer : readFileLayer(projectFile, 'project'),
    readFileLayer(paths.userConfigFile, 'user'),
    readFileLayer(paths.systemConfigFile, 'system'),
  ];
}

function absolute(said: Said, value: unknown, { paths }: ConfigSources): unknown {
  if (typeof value !== 'string') return value;
  const { kind } = said.named.setting;
  const isPath = kind === 'path' || (kind === 'program' && /[/\\]/.test(value));
  return isPath ? resolvePath(value, said.baseDir, paths.home) : value;
}

function complete(given: ReadonlyMap<string, Resolved>, sources: ConfigSources): LoadedConfig {
  const { folders, dataDirOrigin } = resolveFolders(given, sources);
  const resolve = (name: string, setting: Setting<unknown>): Resolved => {
    const said = name === 'data_dir' && dataDirOrigin !== null ? undefined : given.get(name);
    const origin = (name === 'data_dir' ? dataDirOrigin : null) ?? { layer: 'default', where: 'default' };
    return said ?? { value: setting.fallback(folders), origin };
  };
  const origins = new Map(
    namedSettings.map(({ name, setting }) => [name, resolve(name, setting).origin] as const),
  );
  const build = (group: SettingGroup, prefix: string): object =>
    Object.freeze(
      Object.fromEntries(
        Object.entries(group).map(([key, entry]) => {
          const name = `${prefix}${spellKey(key, entry)}`;
          const value = isSetting(entry) ? resolve(name, entry).value : build(entry, `${name}.`);
          return [key, Array.isArray(value) ? Object.freeze([...(value as unknown[])]) : value];
        }),
      ),
    );
  // The shape is the table's own, and every value has passed its schema.
  return { config: build(settings, '') as Config, origins };
}

function invalidConfiguration(problems: readonly Problem[]): AppError {
  const lines = problems.map(({ name, origin, message }) => `  ${name} (${origin}): ${message}`);
  const count = problems.length === 1 ? 'A setting' : `${problems.length} settings`;
  return new AppError(
    'configuration',
    'invalid_configuration',
    `${count} cannot be used:\n${lines.join('\n')}`,
    {
      hint: 'docs/configuration.md lists every setting with what it accepts.',
      details: { problems },
    },
  );
}
