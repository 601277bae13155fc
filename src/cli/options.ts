import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/duration.ts';

/** A duration such as `90s` or `30m`, in milliseconds. */
export function durationOption(text: string): number {
  const ms = parseDuration(text);
  if (typeof ms !== 'number' || !Number.isInteger(ms) || ms < 1_000)
    throw new InvalidArgumentError('It must be a duration of at least a second, such as 90s, 30m or 2h.');
  return ms;
}

/** A whole number from 1. */
export function countOption(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new InvalidArgumentError('It must be a whole number from 1.');
  return count;
}

/** An option that may be given more than once. */
export function repeatedOption(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}
