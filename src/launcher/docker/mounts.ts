import { posix, win32 } from 'node:path';

/** The folders of this machine that a worker works in. */
export interface HostFolders {
  readonly platform: NodeJS.Platform;
  readonly dataDir: string;
  readonly dbPath: string;
  /** Null: the worker runs no agent, and is shown no login. */
  readonly codexHome: string | null;
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly?: boolean;
}

export interface MountPlan {
  /** `source` on this machine, `target` in the container; folders, never a file: the database has other files beside it. */
  readonly mounts: readonly Mount[];
  /** How the worker names what it works in. */
  readonly inside: {
    readonly dataDir: string;
    readonly dbPath: string;
    readonly codexHome: string;
  };
}

const insideRoot = '/capstan';

/**
 * What of this machine a container sees. Every path keeps its name, as what is stored holds absolute ones and workers of other modes read
 * it too; those of Windows have none in a container, and get one below /capstan.
 */
export function planMounts({ platform, dataDir, dbPath, codexHome }: HostFolders): MountPlan {
  const path = platform === 'win32' ? win32 : posix;
  const mounts: Mount[] = [];

  function reach(folder: string, name: string): string {
    for (const { source, target } of mounts) {
      const relative = path.relative(source, folder);
      const isInside =
        relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
      if (isInside) return posix.join(target, ...relative.split(path.sep));
    }
    const target = platform === 'win32' ? posix.join(insideRoot, name) : folder;
    mounts.push({ source: folder, target });
    return target;
  }

  const insideData = reach(dataDir, 'data');
  const inside = {
    dataDir: insideData,
    dbPath: posix.join(reach(path.dirname(dbPath), 'database'), path.basename(dbPath)),
    codexHome: codexHome === null ? posix.join(insideData, 'codex-home') : reach(codexHome, 'codex-home'),
  };
  return { mounts, inside };
}
