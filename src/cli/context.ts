import type { Readable, Writable } from 'node:stream';

/** What a command gets of its surroundings; nothing under `cli/` reads the process by itself. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP; its reason is the signal's name. */
  readonly interrupted: AbortSignal;
  readonly version: string;
}

export type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unavailable: 69,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The code for having been stopped by a signal, as shells count: 128 + its number. */
export function exitCodeOf(interrupted: AbortSignal): ExitCode {
  return interrupted.reason === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;
}
