import type { Claim, FileChange } from '../../contract/job.ts';

const listed = 5;

/** In words, where the agent's claim differs from what really changed; empty where they agree or nothing was claimed. */
export function compareClaim(claim: Claim | null, real: readonly FileChange[]): readonly string[] {
  if (claim === null) return [];
  const warnings: string[] = [];
  const count = claim.filesChanged ?? (claim.files.length > 0 ? claim.files.length : null);
  if (count !== null && count !== real.length) {
    warnings.push(`The agent claims ${plural(count)} changed; ${plural(real.length)} really changed.`);
  }
  if (claim.files.length === 0) return warnings;
  const claimed = new Map(claim.files.map((file) => [file.path, file.change]));
  const changed = new Map(real.map((file) => [file.path, file.change]));
  const untold = real.filter(({ path }) => !claimed.has(path));
  const untrue = claim.files.filter(({ path }) => !changed.has(path));
  const other = real.filter(({ path, change }) => claimed.has(path) && claimed.get(path) !== change);
  if (untold.length > 0) warnings.push(`Changed without being claimed: ${names(untold)}.`);
  if (untrue.length > 0) warnings.push(`Claimed but not changed: ${names(untrue)}.`);
  for (const { path, change } of other.slice(0, listed)) {
    warnings.push(`${path} was ${change}, not ${String(claimed.get(path))} as claimed.`);
  }
  return warnings;
}

function plural(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}

function names(files: readonly FileChange[]): string {
  const rest = files.length - listed;
  const shown = files.slice(0, listed).map(({ path }) => path);
  return shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
