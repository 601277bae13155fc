import { environmentAliases, flagAliases } from './aliases.ts';
import type { Setting } from './setting.ts';
import { settings, type SettingGroup } from './settings.ts';

/** A setting with its spellings, all derived from where it stands in the table. */
export interface NamedSetting {
  /** As in files: `codex.base_url`. */
  readonly name: string;
  /** `CAPSTAN_CODEX__BASE_URL` first, then aliases. */
  readonly variables: readonly [string, ...string[]];
  /** `codex-base-url` first, then aliases; without dashes in front. */
  readonly flags: readonly [string, ...string[]];
  readonly setting: Setting<unknown>;
}

export function isSetting(entry: Setting<unknown> | SettingGroup): entry is Setting<unknown> {
  return typeof entry.fromText === 'function';
}

/** The file's spelling of a key of the table: `stallTimeoutMs` is `stall_timeout`. */
export function spellKey(key: string, entry: Setting<unknown> | SettingGroup): string {
  const bare = isSetting(entry) && entry.kind === 'duration' ? key.replace(/Ms$/, '') : key;
  return bare.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function collect(group: SettingGroup, prefix: string): readonly NamedSetting[] {
  return Object.entries(group).flatMap(([key, entry]) => {
    const name = `${prefix}${spellKey(key, entry)}`;
    return isSetting(entry) ? [spell(name, entry)] : collect(entry, `${name}.`);
  });
}

function spell(name: string, setting: Setting<unknown>): NamedSetting {
  const aliases = (table: Readonly<Record<string, string>>): readonly string[] =>
    Object.keys(table).filter((alias) => table[alias] === name);
  const variable = `CAPSTAN_${name.toUpperCase().replaceAll('.', '__')}`;
  const flag = name.replaceAll(/[._]/g, '-');
  return {
    name,
    variables: [variable, ...aliases(environmentAliases)],
    flags: [flag, ...aliases(flagAliases)],
    setting,
  };
}

export const namedSettings: readonly NamedSetting[] = collect(settings, '');
