import type { ContainerCreateOptions, HostRestartPolicy } from 'dockerode';
import type { WorkerSpec } from '../../domain/launcher.ts';
import type { EngineFacts } from './engine.ts';
import { workerLabels } from './labels.ts';
import type { Mount } from './mounts.ts';
import { seccompProfile } from './seccomp-profile.ts';
import { secretsArgument } from '../hand-secrets.ts';
import { workerArguments } from '../worker-arguments.ts';

export interface ContainerPlace {
  readonly engine: EngineFacts;
  /** A container does not know it by itself. */
  readonly imageId: string;
  /** As this machine names it. */
  readonly dbPath: string;
  readonly mounts: readonly Mount[];
  /** Anybody who may talk to the engine reads it: no secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether secrets come on its stdin. */
  readonly getsSecrets: boolean;
  /** `uid:gid` of whose files they are; null where files have no such owner. */
  readonly owner: string | null;
  /** Null: no network. */
  readonly network: string | null;
  readonly memoryMb: number | null;
  readonly cpus: number | null;
}

/** Where a worker finds a home that it can write, whoever it is. */
export const containerHome = '/home/capstan';
/** A service comes back after a crash and after a restart of the machine, unless it was stopped. Not one that would need somebody to give it secrets. */
export const serviceRestarts: HostRestartPolicy = { Name: 'unless-stopped' };
const processLimit = 4_096;
const root = '0:0';

/** The body of a container's creation. Nothing of the host is in it but the folders named; the root file system is read-only. */
export function containerSpec(spec: WorkerSpec, place: ContainerPlace): ContainerCreateOptions {
  const { engine } = place;
  const attached = spec.lifetime === 'attached';
  // Without user namespaces of its own the engine's root is this machine's.
  const user = engine.rootless ? root : place.owner;
  const isRoot = user === root && !engine.rootless;
  return {
    Image: spec.image ?? '',
    Cmd: [
      ...workerArguments(spec, [
        ...['--mode', 'docker', '--engine', engine.id, '--image-id', place.imageId],
        ...(place.getsSecrets ? [secretsArgument] : []),
      ]),
    ],
    Env: Object.entries(place.env).map(([name, value]) => `${name}=${value}`),
    Labels: { ...workerLabels(spec, place.dbPath) },
    ...(user === null ? {} : { User: user }),
    // The worker leaves when this ends: whoever started it is gone.
    OpenStdin: attached || place.getsSecrets,
    StdinOnce: attached || place.getsSecrets,
    AttachStdin: attached || place.getsSecrets,
    AttachStdout: attached,
    AttachStderr: attached,
    HostConfig: {
      AutoRemove: attached,
      RestartPolicy: place.getsSecrets ? { Name: 'no' } : restartPolicy(spec),
      Mounts: place.mounts.map(({ source, target, readOnly = false }) => ({
        ...{ Type: 'bind', Source: source, Target: target },
        ...(readOnly ? { ReadOnly: true } : {}),
      })),
      Tmpfs: Object.fromEntries(
        ['/tmp', containerHome]
          .filter((folder) => place.mounts.every(({ target }) => target !== folder))
          .map((folder) => [folder, 'rw,exec,nosuid,nodev,mode=1777']),
      ),
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      // Root may not make a user namespace that holds itself without it (Linux 5.12); everybody else may.
      ...(isRoot ? { CapAdd: ['SETFCAP'] } : {}),
      SecurityOpt: [
        'no-new-privileges',
        `seccomp=${JSON.stringify(seccompProfile)}`,
        ...(engine.apparmor ? ['apparmor=unconfined'] : []),
        ...(engine.selinux ? ['label=disable'] : []),
      ],
      // Under these covers nobody could mount a /proc of a namespace of their own. Root keeps them: the kernel lets it write settings
      // below /proc/sys without any capability.
      ...(isRoot ? {} : { MaskedPaths: ['/sys/firmware'], ReadonlyPaths: [] }),
      ...(engine.remapsUsers ? { UsernsMode: 'host' } : {}),
      PidsLimit: processLimit,
      ...(place.memoryMb === null ? {} : memoryLimit(place.memoryMb)),
      ...(place.cpus === null ? {} : { NanoCpus: place.cpus * 1e9 }),
      NetworkMode: place.network ?? 'none',
      ...(place.network === null ? {} : { ExtraHosts: ['host.docker.internal:host-gateway'] }),
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    },
  };
}

/** One that was waited for gets `serviceRestarts` when it takes jobs: until then whoever started it tries again. */
function restartPolicy({ lifetime, wait = true }: WorkerSpec): HostRestartPolicy {
  return lifetime === 'persistent' && !wait ? { Name: 'on-failure', MaximumRetryCount: 5 } : { Name: 'no' };
}

/** Without swap besides: a limit that is only a slowness ends no runaway. */
function memoryLimit(megabytes: number): { readonly Memory: number; readonly MemorySwap: number } {
  const bytes = megabytes * 1024 ** 2;
  return { Memory: bytes, MemorySwap: bytes };
}
