import type { WorkerSpec } from '../domain/launcher.ts';

/** What follows `capstan`. The worker tells on stdout how its start went; an attached one leaves when its stdin ends. */
export function workerArguments(spec: WorkerSpec, more: readonly string[]): readonly string[] {
  return [
    'worker',
    '--type',
    spec.type,
    '--name',
    spec.name,
    ...(spec.buildId === null ? [] : ['--build', spec.buildId]),
    spec.lifetime === 'attached' ? '--parent-pipe' : '--json',
    ...more,
  ];
}
