import { constants, accessSync, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Check } from '../../codex/check.ts';
import { failed, passed, warned } from '../../codex/check.ts';
import { AppError, hasErrno } from '../../runtime/app-error.ts';
import { probeContainment } from '../../supervisor/contain.ts';
import { examineCodex } from './examine-codex.ts';
import { examineDocker } from './examine-docker.ts';
import { examineTools } from './examine-tools.ts';
import type { Capstan } from '../open-capstan.ts';
import { thisMachine } from '../fleet/machine.ts';

const lowDiskBytes = 1024 ** 3;
/** With less, not even a job's row and its log are sure to fit. */
const fullDiskBytes = 32 * 1024 ** 2;

/** About what the largest worker takes while it works. */
const lowMemoryBytes = 700 * 1024 ** 2;

/** Everything that jobs rely on, looked at without changing anything but what an empty CODEX_HOME gets. */
export async function examine(
  examined: Pick<Capstan, 'config' | 'profile' | 'commandPath' | 'containers'>,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { dataDir } = examined.config;
  const [codex, containment, tools, docker] = await Promise.all([
    examineCodex(examined, signal),
    probeContainment(signal),
    examineTools({ path: examined.commandPath, ...examined.config.tools }, signal),
    examineDocker(examined.config, examined.containers),
  ]);
  const holding =
    containment.kind === 'pid_namespace'
      ? passed('containment', 'agents run in a PID namespace that ends with them')
      : warned(
          'containment',
          new AppError('configuration', 'no_pid_namespace', containment.why, {
            hint: 'Agents are found and ended by a mark instead; install util-linux, and allow user namespaces, for the stronger way.',
          }),
        );
  return [
    passed('node', process.version),
    folderCheck(dataDir),
    ...diskCheck(dataDir),
    memoryCheck(thisMachine().freeMemoryBytes),
    holding,
    ...codex.checks.map((check) => ({ ...check, of: 'codex' })),
    ...tools,
    ...docker,
  ];
}

function folderCheck(dataDir: string): Check {
  try {
    accessSync(nearestExisting(dataDir), constants.W_OK);
    return passed('data folder', existsSync(dataDir) ? dataDir : `${dataDir} (made when it is needed)`);
  } catch (error) {
    if (!hasErrno(error, 'EACCES', 'EROFS', 'EPERM')) throw error;
    return failed(
      'data folder',
      new AppError('configuration', 'store_read_only', `${dataDir} cannot be written.`, {
        hint: 'Make it writable, or choose another with CAPSTAN_DATA.',
      }),
    );
  }
}

function diskCheck(dataDir: string): readonly Check[] {
  const { bavail, bsize } = statfsSync(nearestExisting(dataDir));
  const free = bavail * bsize;
  const shown =
    free < lowDiskBytes
      ? `only ${Math.floor(free / 1024 ** 2)} MiB free`
      : `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  if (free >= lowDiskBytes) return [passed('disk', shown)];
  const isFull = free < fullDiskBytes;
  const low = new AppError('configuration', isFull ? 'disk_full' : 'disk_low', shown, {
    hint: `Free some space for ${dataDir}: each job keeps a copy of its folder while it runs.`,
  });
  return [isFull ? failed('disk', low) : warned('disk', low)];
}

function memoryCheck(free: number): Check {
  if (free >= lowMemoryBytes) return passed('memory', `${(free / 1024 ** 3).toFixed(1)} GiB free`);
  const shown = `only ${Math.floor(free / 1024 ** 2)} MiB free`;
  return warned(
    'memory',
    new AppError('configuration', 'memory_low', shown, {
      hint: 'A worker takes up to 700 MiB while it works: end other programs, or start fewer workers.',
    }),
  );
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}
