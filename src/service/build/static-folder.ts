/** The last folder of a pattern that has no wildcard in it: `a/diagrams/*.puml` gives `diagrams`; null where there is none. */
export function staticFolder(pattern: string): string | null {
  const folders = pattern.split('/').slice(0, -1);
  const wild = folders.findIndex((folder) => /[*?[\]{}!()]/.test(folder));
  const fixed = (wild === -1 ? folders : folders.slice(0, wild)).filter(
    (folder) => !/^\.{0,2}$/.test(folder),
  );
  const last =
    fixed
      .at(-1)
      ?.replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '') ?? '';
  return last === '' ? null : last.slice(0, 64);
}
