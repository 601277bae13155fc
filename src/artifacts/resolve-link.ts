import { posix } from 'node:path';

/** Links of a tree by their path, each with a target relative to the link's own folder. */
export type LinkMap = ReadonlyMap<string, string>;

/** As many links as Linux follows in one path before it gives up with ELOOP. */
const maxFollowed = 40;

/**
 * Whether following the link at `path` stays inside the root at every step, taking the tree's other links into account: `a/..` is the
 * parent of where `a` leads, not of where it lies. A loop, or a target that does not exist, stays inside.
 */
export function staysInside(path: string, links: LinkMap): boolean {
  let followed = 0;
  let at: string[] = [];
  const pending = path.split('/').reverse();
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.length === 0) return false;
      at.pop();
      continue;
    }
    const here = [...at, part];
    const target = links.get(here.join('/'));
    if (target === undefined) {
      at = here;
      continue;
    }
    if (target.startsWith('/')) return false;
    if (++followed > maxFollowed) return true;
    pending.push(...target.split('/').reverse());
  }
  return true;
}

/**
 * A link's target as seen from the link's own folder. An absolute target below one of `roots` (the names of the tree's own root) becomes
 * relative; any other absolute target is handed back as it is.
 */
export function relativeTarget(path: string, target: string, roots: readonly string[]): string {
  if (!target.startsWith('/')) return target;
  const normal = posix.normalize(target).replace(/(.)\/$/, '$1');
  for (const root of roots) {
    if (normal !== root && !normal.startsWith(root === '/' ? '/' : `${root}/`)) continue;
    const inside = posix.relative(root, normal);
    const relative = posix.relative(posix.join('/', posix.dirname(path)), posix.join('/', inside));
    return relative === '' ? '.' : relative;
  }
  return target;
}
