import type { Writable } from 'node:stream';
import type { WorkerSecrets } from '../contract/worker-secrets.ts';

/** Keys by the names that they have as environment variables. */
export type Secrets = WorkerSecrets['secrets'];

/** What a worker is started with that gets secrets on its stdin. */
export const secretsArgument = '--secrets';

export function hasSecrets(secrets: Secrets): boolean {
  return Object.keys(secrets).length > 0;
}

/** Writes what a worker with `--secrets` reads first. Neither arguments nor an environment have them then, where others could look them up. */
export function handSecrets(stdin: Writable, secrets: Secrets): void {
  const line: WorkerSecrets = { type: 'worker.secrets', secrets };
  stdin.write(`${JSON.stringify(line)}\n`);
}
