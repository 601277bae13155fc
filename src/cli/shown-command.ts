const shell = /^(?:\/\S*\/)?(?:ba|z|da)?sh -l?c (.+)$/s;

/** A command as the agent meant it, without the shell that it is run by: `/bin/bash -lc 'cat a b'` is `cat a b`. */
export function shownCommand(command: string): string {
  const inner = shell.exec(command)?.[1];
  if (inner === undefined) return command;
  return unquote(inner) ?? command;
}

/** One shell word without its quotes; null where it is more than one. */
function unquote(word: string): string | null {
  const pieces = /^(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^'"\\\s])+$/s;
  if (!pieces.test(word)) return null;
  return word.replaceAll(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
    (_all, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replaceAll(/\\([$`"\\])/g, '$1') ?? escaped ?? '',
  );
}
