/**
 * What a walk leaves out. `name` leaves out every entry of that name, at any depth; `/a/b` the one entry at that path below the root.
 */
export type Exclude = readonly string[];

/** Repositories' own data: copied into the workspace, never part of a difference (git refuses patches that touch it). */
export const repositoryData: Exclude = ['.git'];

export function isExcluded(path: string, exclude: Exclude): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return exclude.some((rule) => (rule.startsWith('/') ? rule.slice(1) === path : rule === name));
}
