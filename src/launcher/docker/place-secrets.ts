import { posix } from 'node:path';
import type { WorkerSpec } from '../../domain/launcher.ts';
import type { Secrets } from '../hand-secrets.ts';
import type { Mount } from './mounts.ts';

export interface WorkerSecret {
  readonly value: string;
  /** The file of this machine that holds it; null where it is known from elsewhere. */
  readonly file: string | null;
}

export interface PlacedSecrets {
  /** Given on the container's stdin whenever it is started. */
  readonly handed: Secrets;
  /** Where in the container a secret's file is, by the secret's name. */
  readonly files: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
}

/** Where programs in containers look for files with secrets. */
const folder = '/run/secrets';

/**
 * How a container gets its secrets, of which the engine is told nothing. On its stdin, as long as somebody is there who can give them again;
 * a service, which the engine starts again, reads the user's own file where there is one.
 */
export function placeSecrets(
  secrets: Readonly<Record<string, WorkerSecret>>,
  lifetime: WorkerSpec['lifetime'],
): PlacedSecrets {
  const handed: Record<string, string> = {};
  const files: Record<string, string> = {};
  const mounts: Mount[] = [];
  for (const [name, { value, file }] of Object.entries(secrets)) {
    if (lifetime === 'attached' || file === null) {
      handed[name] = value;
      continue;
    }
    const target = posix.join(folder, name);
    files[name] = target;
    mounts.push({ source: file, target, readOnly: true });
  }
  return { handed, files, mounts };
}
