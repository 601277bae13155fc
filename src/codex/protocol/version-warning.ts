import { protocolVersion } from './generated/version.ts';

/** What to say where the installed Codex is not the one whose protocol is built in; null where it is. */
export function versionWarning(installed: string): string | null {
  if (installed === protocolVersion) return null;
  return `Codex ${installed} is installed, but Capstan is built for ${protocolVersion}: messages between them may be misread.`;
}

/** The version out of what Codex says of itself, such as `capstan/0.169.0 (Debian …)` or `codex-cli 0.169.0`. */
export function versionIn(text: string): string | null {
  return /\d+\.\d+\.\d+[-+.\w]*/.exec(text)?.[0] ?? null;
}
