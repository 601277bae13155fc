import { formatDuration } from './duration.ts';
import type { LoadedConfig } from './load-config.ts';
import { isSetting, namedSettings, spellKey, type NamedSetting } from './named-settings.ts';
import { Secret } from '../runtime/secret.ts';
import { settings, type SettingGroup } from './settings.ts';

/** One setting as people read it. */
export interface SettingRow {
  readonly name: string;
  readonly variables: readonly string[];
  /** With their dashes. */
  readonly flags: readonly string[];
  readonly kind: NamedSetting['setting']['kind'];
  readonly accepts: string;
  readonly defaultValue: string;
  readonly description: string;
  /** A project's own file may not say it unless the project is trusted. */
  readonly trustedOnly: boolean;
}

export interface SettingValueRow extends SettingRow {
  /** As text; a secret's is `[secret]`. */
  readonly value: string;
  /** For programs: null where it is not set, durations in milliseconds, a secret as above. */
  readonly plain: unknown;
  readonly layer: string;
  readonly where: string;
}

export function describeSettings(): readonly SettingRow[] {
  return namedSettings.map(({ name, variables, flags, setting }) => ({
    name,
    variables,
    flags: flags.map((flag) => `--${flag}`),
    kind: setting.kind,
    accepts: setting.accepts,
    defaultValue: setting.shownDefault,
    description: setting.description,
    trustedOnly: setting.trustedOnly === true,
  }));
}

/** Every setting with its value and who said it, for `config show`. */
export function describeConfig({ config, origins }: LoadedConfig): readonly SettingValueRow[] {
  const values = new Map(flatten(settings, config, ''));
  return describeSettings().map((row) => {
    const origin = origins.get(row.name) ?? { layer: 'default', where: 'default' };
    const value = values.get(row.name);
    const plain = value instanceof Secret ? value.toString() : (value ?? null);
    return { ...row, value: show(value, row.kind), plain, layer: origin.layer, where: origin.where };
  });
}

function flatten(
  group: SettingGroup,
  values: Readonly<Record<string, unknown>>,
  prefix: string,
): readonly (readonly [string, unknown])[] {
  return Object.entries(group).flatMap(([key, entry]) => {
    const name = `${prefix}${spellKey(key, entry)}`;
    if (isSetting(entry)) return [[name, values[key]] as const];
    return flatten(entry, values[key] as Readonly<Record<string, unknown>>, `${name}.`);
  });
}

function show(value: unknown, kind: SettingRow['kind']): string {
  if (value === null || value === undefined) return 'not set';
  if (kind === 'duration' && typeof value === 'number') return formatDuration(value);
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : value.join(', ');
  if (value instanceof Secret) return value.toString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}
