import type { WorkerSpec } from '../../domain/launcher.ts';

/** How `capstan` itself is started: a program and its first arguments. */
export type Program = readonly [string, ...string[]];

/** The whole command line of a worker. It tells on stdout how its start went; an attached one leaves when its stdin ends. */
export function workerCommand(
  program: Program,
  spec: WorkerSpec,
  settings: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const [command, ...first] = program;
  return {
    command,
    args: [
      ...first,
      'worker',
      '--type',
      spec.type,
      '--name',
      spec.name,
      ...(spec.buildId === null ? [] : ['--build', spec.buildId]),
      spec.lifetime === 'attached' ? '--parent-pipe' : '--json',
      ...settings,
    ],
  };
}
