import type { LoadedConfig } from '../config/load-config.ts';

const tools = ['java', 'plantuml', 'dot', 'jupyter', 'drawio', 'chromium'].map((name) => `tools.${name}`);
/** Settings that run a program, or decide who gets the key and what agents may do. */
const telling = ['codex.bin', 'codex.home', 'codex.base_url', 'codex.allow_danger', ...tools];

/**
 * A project's `.capstan/config.toml` comes with the project, which may be somebody else's: what it says of these is followed, as of any
 * setting, and is said aloud. Empty where it says nothing of them.
 */
export function noteProjectSettings({ origins }: Pick<LoadedConfig, 'origins'>): readonly string[] {
  return telling.flatMap((name) => {
    const origin = origins.get(name);
    return origin?.layer === 'project' ? [`${name} is set by the project: ${origin.where}`] : [];
  });
}
