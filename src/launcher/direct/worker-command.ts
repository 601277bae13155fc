import type { WorkerSpec } from '../../domain/launcher.ts';
import { workerArguments } from '../worker-arguments.ts';

/** How `capstan` itself is started: a program and its first arguments. */
export type Program = readonly [string, ...string[]];

/** The whole command line of a worker. */
export function workerCommand(
  program: Program,
  spec: WorkerSpec,
  settings: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const [command, ...first] = program;
  return { command, args: [...first, ...workerArguments(spec, settings)] };
}
