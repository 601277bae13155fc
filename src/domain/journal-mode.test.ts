import { expect, test } from 'vitest';
import { chooseJournalMode, isWsl, type DatabasePlace } from './journal-mode.ts';

const linux: DatabasePlace = {
  platform: 'linux',
  kernelRelease: '6.1.0-21-amd64',
  environment: {},
  dbPath: '/home/ada/.capstan/capstan.db',
  containers: false,
};
const wsl = { ...linux, kernelRelease: '5.15.153.1-microsoft-standard-WSL2' };
const windows = {
  ...linux,
  platform: 'win32',
  kernelRelease: '10.0.22631',
  dbPath: 'C:\\course\\.capstan\\capstan.db',
};

test.each([
  ['Linux', linux, 'wal'],
  ['Linux with containers: they share its kernel', { ...linux, containers: true }, 'wal'],
  ['WSL', wsl, 'delete'],
  ['WSL by its environment alone', { ...linux, environment: { WSL_DISTRO_NAME: 'Debian' } }, 'delete'],
  ['Windows', windows, 'delete'],
  ['macOS', { ...linux, platform: 'darwin' }, 'wal'],
  [
    'macOS with containers: they run in a virtual machine',
    { ...linux, platform: 'darwin', containers: true },
    'delete',
  ],
] as const)('%s', (_name, place, mode) => {
  expect(chooseJournalMode(place)).toEqual({ mode, warning: null });
});

test('only a Linux can be inside Windows', () => {
  expect(isWsl(wsl)).toBe(true);
  expect(isWsl({ ...windows, environment: { WSL_DISTRO_NAME: 'Debian' } })).toBe(false);
  expect(isWsl({ ...linux, environment: { WSL_DISTRO_NAME: '' } })).toBe(false);
});

test.each([
  ['a network share', windows, '\\\\server\\share\\capstan.db', 'network path'],
  [
    'the inside of a distribution',
    windows,
    '\\\\wsl.localhost\\Debian\\home\\capstan.db',
    'inside a WSL distribution',
  ],
  ['the older name of that', windows, '\\\\wsl$\\Debian\\home\\capstan.db', 'inside a WSL distribution'],
  ['no drive', windows, '\\course\\capstan.db', 'no drive'],
  ['a folder of this distribution alone', wsl, '/tmp/x/capstan.db', 'this WSL distribution alone'],
  [
    'a Windows drive, with containers',
    { ...wsl, containers: true },
    '/mnt/c/course/capstan.db',
    'Windows drive',
  ],
] as const)(
  'containers cannot reach %s: a warning says so, and what to do',
  (_name, place, dbPath, words) => {
    const { warning } = chooseJournalMode({ ...place, dbPath });
    expect(warning).toContain(words);
    expect(warning).toContain(dbPath);
  },
);
