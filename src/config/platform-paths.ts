import { posix, win32 } from 'node:path';
import type { Environment } from './environment.ts';
import { isUnset } from './is-unset.ts';

/** Where this platform keeps what a program owns. */
export interface PlatformPaths {
  readonly home: string;
  readonly userConfigFile: string;
  readonly systemConfigFile: string;
  /** The data folder where no `.capstan/` folder is near. */
  readonly userDataDir: string;
}

export interface Platform {
  readonly name: NodeJS.Platform;
  readonly home: string;
  readonly environment: Environment;
}

/** `$XDG_CONFIG_HOME` and `$XDG_DATA_HOME` count on every platform where they are absolute, as their specification asks. */
export function platformPaths({ name, home, environment }: Platform): PlatformPaths {
  const path = name === 'win32' ? win32 : posix;
  const join = (...parts: readonly string[]): string => path.join(...parts);
  const absolute = (variable: string, otherwise: string): string => {
    const value = environment[variable];
    return isUnset(value) || !path.isAbsolute(value) ? otherwise : value;
  };
  const library = join(home, 'Library', 'Application Support');
  const fallback = {
    win32: {
      config: absolute('APPDATA', join(home, 'AppData', 'Roaming')),
      data: absolute('LOCALAPPDATA', join(home, 'AppData', 'Local')),
      system: absolute('PROGRAMDATA', 'C:\\ProgramData'),
    },
    darwin: { config: library, data: library, system: '/etc' },
    other: { config: join(home, '.config'), data: join(home, '.local', 'share'), system: '/etc' },
  }[name === 'win32' || name === 'darwin' ? name : 'other'];
  return Object.freeze({
    home,
    userConfigFile: join(absolute('XDG_CONFIG_HOME', fallback.config), 'capstan', 'config.toml'),
    systemConfigFile: join(fallback.system, 'capstan', 'config.toml'),
    userDataDir: join(absolute('XDG_DATA_HOME', fallback.data), 'capstan'),
  });
}
