/** The name in small letters and a word behind it: the product is written with a capital. */
const command = /(?<![\w/.@-]|npx )capstan (?=[a-z])/g;

/** A hint with its commands as this caller can type them: who came by `npx` may have no `capstan` on PATH. */
export function spellCommand(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const byNpx = env['npm_lifecycle_event'] === 'npx' || env['npm_command'] === 'exec';
  return byNpx ? text.replaceAll(command, 'npx capstan ') : text;
}
