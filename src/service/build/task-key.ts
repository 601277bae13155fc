import { createHash } from 'node:crypto';
import type { TaskInputs } from '../../domain/build-reason.ts';

/** Changes when jobs of the same inputs would come out otherwise, by a change of ours. */
const keyVersion = 2;

/** The idempotency key of the job that makes a task: equal inputs give one job, whoever builds, and whenever. */
export function taskKey(inputs: TaskInputs): string {
  const parts = [
    inputs.type,
    inputs.tool,
    sorted(inputs.options),
    sorted(inputs.files),
    sorted(inputs.needs),
  ];
  return `build:${keyVersion}:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

function sorted(named: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** JSON with its keys in order, so that equal values give equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(sorted(each as Record<string, string>))
      : each,
  );
}
