import type { Readable, Writable } from 'node:stream';
import type { Program } from '../launcher/direct/worker-command.ts';
import type { WorkerTypes } from '../service/types/worker-type.ts';

/** What a command gets of its surroundings; nothing under `cli/` reads the process by itself. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP, and when nobody reads stdout any more (SIGPIPE); its reason is the signal's name. */
  readonly interrupted: AbortSignal;
  readonly version: string;
  /** How workers are started; default: as this installation is. */
  readonly program?: Program;
  /** Default: those that come with Capstan. */
  readonly workerTypes?: WorkerTypes;
}

export type Terminal = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** How wide a terminal is; some report 0 for not knowing. */
export function columnsOf({ columns = 0 }: Pick<Terminal, 'columns'>, otherwise: number): number {
  return columns > 0 ? columns : otherwise;
}

/** How high a terminal is. */
export function rowsOf({ rows = 0 }: Pick<Terminal, 'rows'>, otherwise: number): number {
  return rows > 0 ? rows : otherwise;
}

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unavailable: 69,
  hungUp: 129,
  interrupted: 130,
  brokenPipe: 141,
  terminated: 143,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const codeOfSignal: Readonly<Record<string, ExitCode>> = {
  SIGHUP: exitCodes.hungUp,
  SIGINT: exitCodes.interrupted,
  SIGPIPE: exitCodes.brokenPipe,
};

/** The code for having been stopped by a signal, as shells count: 128 + its number. */
export function exitCodeOf(interrupted: AbortSignal): ExitCode {
  return codeOfSignal[String(interrupted.reason)] ?? exitCodes.terminated;
}
