import { expect, test } from 'vitest';
import { platformPaths } from './platform-paths.ts';

test('Linux follows XDG where it is absolute', () => {
  const plain = platformPaths({ name: 'linux', home: '/h', environment: { XDG_DATA_HOME: 'relative' } });
  expect(plain).toMatchObject({
    userConfigFile: '/h/.config/capstan/config.toml',
    systemConfigFile: '/etc/capstan/config.toml',
    userDataDir: '/h/.local/share/capstan',
  });
  const environment = { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: '/d' };
  const moved = platformPaths({ name: 'linux', home: '/h', environment });
  expect(moved).toMatchObject({ userConfigFile: '/c/capstan/config.toml', userDataDir: '/d/capstan' });
});

test('macOS and Windows have their own folders', () => {
  const mac = platformPaths({ name: 'darwin', home: '/Users/h', environment: {} });
  expect(mac.userConfigFile).toBe('/Users/h/Library/Application Support/capstan/config.toml');
  const windows = platformPaths({
    name: 'win32',
    home: 'C:\\Users\\h',
    environment: { APPDATA: 'C:\\Roaming' },
  });
  expect(windows.userConfigFile).toBe('C:\\Roaming\\capstan\\config.toml');
  expect(windows.userDataDir).toBe('C:\\Users\\h\\AppData\\Local\\capstan');
});
