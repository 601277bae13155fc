/** What a task's result depends on. Two tasks with equal inputs have equal results. */
export interface TaskInputs {
  readonly type: string;
  /** Version of the tool, or the image's digest. */
  readonly tool: string;
  /** By name, as JSON. */
  readonly options: Readonly<Record<string, string>>;
  /** sha256 by path, relative to the manifest. */
  readonly files: Readonly<Record<string, string>>;
  /** By needed job: one digest over the paths and the bytes of all that it made. */
  readonly needs: Readonly<Record<string, string>>;
}

const shown = 3;

/** Why `now` is to be built where `before` was: each difference in words; empty where there is none. */
export function inputChanges(before: TaskInputs, now: TaskInputs): readonly string[] {
  const tool =
    before.tool === now.tool && before.type === now.type
      ? []
      : [`the tool changed: ${short(before.tool)} → ${short(now.tool)}`];
  return [
    ...tool,
    ...differences(before.options, now.options).map(({ name, how }) => `option ${name} ${how}`),
    ...few(differences(before.files, now.files).map(({ name, how }) => `${name} ${how}`)),
    ...few(differences(before.needs, now.needs).map(({ name, how }) => `needed ${name} ${how}`)),
  ];
}

/** The first digits of a digest tell one from another. */
function short(tool: string): string {
  return tool.replace(/[0-9a-f]{64}/g, (digest) => digest.slice(0, 12));
}

type Named = Readonly<Record<string, string>>;

function differences(before: Named, now: Named): readonly { readonly name: string; readonly how: string }[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].sort().flatMap((name) => {
    const [old, fresh] = [before[name], now[name]];
    if (old === fresh) return [];
    return [{ name, how: old === undefined ? 'is new' : fresh === undefined ? 'is gone' : 'changed' }];
  });
}

function few(reasons: readonly string[]): readonly string[] {
  const rest = reasons.length - shown;
  return rest > 0 ? [...reasons.slice(0, shown), `${rest} more`] : reasons;
}
