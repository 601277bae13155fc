import type { LoadedConfig } from '../config/load-config.ts';
import { namedSettings } from '../config/named-settings.ts';

/**
 * What a project that the user trusts says of what runs, who gets the key and what agents may do: followed, and said aloud. Empty where it
 * says nothing of them.
 */
export function noteProjectSettings({ origins }: Pick<LoadedConfig, 'origins'>): readonly string[] {
  return namedSettings.flatMap(({ name, setting }) => {
    const origin = origins.get(name);
    const isTold = setting.trustedOnly === true && origin?.layer === 'project';
    return isTold ? [`${name} is set by the project: ${origin.where}`] : [];
  });
}
