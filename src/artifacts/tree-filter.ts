/**
 * What a walk leaves out. `name` leaves out every entry of that name, at any depth; `/a/b` the one entry at that path below the root.
 */
export type ExcludeRules = readonly string[];

/** Repositories' own data: copied into the workspace, never part of a difference (git refuses patches that touch it). */
export const repositoryData: ExcludeRules = ['.git'];

export function isExcluded(path: string, exclude: ExcludeRules): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return exclude.some((rule) => (rule.startsWith('/') ? rule.slice(1) === path : rule === name));
}

/** Whether the entry itself or a folder above it is left out. */
export function isBelowExcluded(path: string, exclude: ExcludeRules): boolean {
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    if (isExcluded(path.slice(0, end), exclude)) return true;
  }
  return isExcluded(path, exclude);
}
