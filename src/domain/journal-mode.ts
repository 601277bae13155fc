/** What of the machine decides how the database is written. */
export interface DatabasePlace {
  readonly platform: string;
  /** The kernel's release as `uname -r` says it. */
  readonly kernelRelease: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly dbPath: string;
  /** Whether containers are to open the same file. */
  readonly containers: boolean;
}

export interface JournalChoice {
  readonly mode: 'wal' | 'delete';
  /** What a person should know, or null. */
  readonly warning: string | null;
}

/** A Linux inside Windows: its kernel says so, and the environment of a shell in it. */
export function isWsl({ platform, kernelRelease, environment }: DatabasePlace): boolean {
  if (platform !== 'linux') return false;
  return /microsoft/i.test(kernelRelease) || (environment['WSL_DISTRO_NAME'] ?? '') !== '';
}

/**
 * WAL needs memory that all users of the file share; between Windows or WSL and containers there is none. Where containers run in a
 * virtual machine (Docker Desktop), that holds for every file that is mounted into them.
 */
export function chooseJournalMode(place: DatabasePlace): JournalChoice {
  const windows = place.platform === 'win32' || isWsl(place);
  const virtual = place.platform === 'darwin' && place.containers;
  return { mode: windows || virtual ? 'delete' : 'wal', warning: unreachable(place) };
}

/** Why containers could not open the database where it lies, or null. */
function unreachable(place: DatabasePlace): string | null {
  const { platform, dbPath } = place;
  if (platform === 'win32') {
    if (/^\\\\wsl(?:\.localhost|\$)\\/i.test(dbPath))
      return `${dbPath} lies inside a WSL distribution: containers cannot mount it from Windows. Keep it on a drive (C:\\…), or run capstan inside WSL.`;
    if (dbPath.startsWith('\\\\'))
      return `${dbPath} is a network path: containers cannot mount it, and SQLite does not lock it safely. Keep it on a local drive.`;
    if (!/^[A-Za-z]:[\\/]/.test(dbPath))
      return `${dbPath} is on no drive that containers could mount. Keep it on one (C:\\…).`;
    return null;
  }
  if (!isWsl(place)) return null;
  if (/^\/mnt\/wsl(?:g)?\//.test(dbPath) || /^\/(?:tmp|run|dev|proc|sys)\//.test(dbPath))
    return `${dbPath} is seen by this WSL distribution alone: containers cannot open it. Keep it in your home folder.`;
  if (/^\/mnt\/[a-z]\//i.test(dbPath) && !place.containers) return null;
  if (/^\/mnt\/[a-z]\//i.test(dbPath))
    return `${dbPath} is on a Windows drive seen through WSL: locks are slow there. Your home folder in WSL is better.`;
  return null;
}
