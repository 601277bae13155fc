const maxChars = 120;

/** Gives each path among a job's outputs a name that artifacts may have, no two the same, the same for the same paths. */
export function createArtifactNames(): (path: string) => string {
  const taken = new Set<string>();
  return (path) => {
    const plain = path
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .replaceAll('/', '__')
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '');
    const dot = plain.lastIndexOf('.');
    const stem = (dot > 0 ? plain.slice(0, dot) : plain) || 'output';
    const extension = dot > 0 ? plain.slice(dot).slice(0, 20) : '';
    for (let count = 1; ; count += 1) {
      const suffix = count === 1 ? '' : `-${String(count)}`;
      const name = `${stem.slice(0, maxChars - extension.length - suffix.length)}${suffix}${extension}`;
      // Folders may not tell upper from lower case.
      const key = name.toLowerCase();
      if (taken.has(key)) continue;
      taken.add(key);
      return name;
    }
  };
}
