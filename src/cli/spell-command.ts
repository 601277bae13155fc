import { commandNames } from './command-names.ts';

const named = new RegExp(`(?<![\\w/.@-]|npx )capstan (?=(?:${commandNames.join('|')})\\b)`, 'g');

/** A hint with its commands as this caller can type them: who came by `npx` may have no `capstan` on PATH. */
export function spellCommand(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const byNpx = env['npm_lifecycle_event'] === 'npx' || env['npm_command'] === 'exec';
  return byNpx ? text.replaceAll(named, 'npx capstan ') : text;
}
