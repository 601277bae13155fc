import { namedSettings } from '../../config/named-settings.ts';
import { settingsAsText } from '../../config/settings-as-text.ts';
import { fileVariable } from '../../config/secret-file.ts';
import type { Config } from '../../config/settings.ts';
import type { MountPlan } from './mounts.ts';

/** Settings that a worker in a container goes by; what names programs and folders of this machine, or other processes, stays here. */
const carried = /^(?:codex|worker|store|log)\.(?!bin$|home$)/;

export interface EnvironmentOptions {
  readonly config: Config;
  readonly inside: MountPlan['inside'];
  /** Where the worker keeps what it needs only while it lives. */
  readonly home: string;
  /** Files in the container that hold keys, by the names of their variables. */
  readonly secretFiles: Readonly<Record<string, string>>;
}

/** All that a container is told, as it sees neither this machine's files nor the command line. No secrets, and only what is not the default anyway. */
export function containerEnvironment(options: EnvironmentOptions): Readonly<Record<string, string>> {
  const { config, inside, home, secretFiles } = options;
  const said = settingsAsText(config);
  const settings = namedSettings.flatMap(({ name, variables: [variable] }) => {
    const text = carried.test(name) ? said.get(name) : undefined;
    return text === undefined ? [] : [[variable, text] as const];
  });
  return {
    HOME: home,
    ...Object.fromEntries(settings),
    CAPSTAN_DATA_DIR: inside.dataDir,
    CAPSTAN_DB_PATH: inside.dbPath,
    CAPSTAN_CODEX__HOME: inside.codexHome,
    ...Object.fromEntries(Object.entries(secretFiles).map(([name, file]) => [fileVariable(name), file])),
  };
}
