import { isSetting, spellKey } from './named-settings.ts';
import { settings, type Config, type SettingGroup } from './settings.ts';

/** Settings that are not what they are when nobody says anything, as an environment variable would say them. Without secrets and empty lists. */
export function settingsAsText(config: Config): ReadonlyMap<string, string> {
  return new Map(differing(settings, config, { prefix: '', folders: config }));
}

interface Place {
  readonly prefix: string;
  readonly folders: Pick<Config, 'dataDir' | 'dbPath'>;
}

function differing(
  group: SettingGroup,
  values: Readonly<Record<string, unknown>>,
  { prefix, folders }: Place,
): readonly (readonly [string, string])[] {
  return Object.entries(group).flatMap(([key, entry]) => {
    const name = `${prefix}${spellKey(key, entry)}`;
    const value = values[key];
    if (!isSetting(entry))
      return differing(entry, value as Readonly<Record<string, unknown>>, { prefix: `${name}.`, folders });
    const text = asText(value);
    return text === null || text === asText(entry.fallback(folders)) ? [] : [[name, text] as const];
  });
}

function asText(value: unknown): string | null {
  if (Array.isArray(value)) return value.length === 0 ? null : value.join(',');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : null;
}
