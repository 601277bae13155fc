/** Wall time in epoch milliseconds, as an input: rules and tests never read the clock by themselves. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

export function toIso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
