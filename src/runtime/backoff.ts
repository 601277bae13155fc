export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** 0 to 1: the share of the delay that is drawn at random, so that many do not come back at the same instant. */
  readonly jitter: number;
}

/**
 * The wait before try number `failures + 1`, doubling from `initialMs` up to `maxMs`.
 * @param failures how many tries have failed so far, from 1
 * @param random a number in [0, 1)
 */
export function backoffMs(failures: number, options: BackoffOptions, random: number): number {
  const full = Math.min(options.maxMs, options.initialMs * 2 ** Math.max(0, failures - 1));
  return Math.round(full * (1 - options.jitter * random));
}
