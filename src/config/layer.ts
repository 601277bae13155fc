import type { NamedSetting } from './named-settings.ts';
import { nearestName } from './nearest-name.ts';

/** Strongest first. */
export const layerNames = ['flag', 'environment', 'project', 'user', 'system', 'default'] as const;
export type LayerName = (typeof layerNames)[number];

/** Who said a value, and where: `--model`, `CAPSTAN_CODEX__MODEL`, `/etc/capstan/config.toml:3`. */
export interface Origin {
  readonly layer: LayerName;
  readonly where: string;
}

/** A value as a layer said it, not looked at yet. */
export interface Said {
  readonly named: NamedSetting;
  readonly value: unknown;
  readonly origin: Origin;
  /** What a relative path starts from. */
  readonly baseDir: string;
}

/** Something wrong with what was said; never with the value in it. */
export interface Problem {
  readonly name: string;
  readonly origin: string;
  readonly message: string;
}

export interface Layer {
  readonly said: readonly Said[];
  readonly problems: readonly Problem[];
}

export const emptyLayer: Layer = { said: [], problems: [] };

export function unknownName(name: string, origin: string, known: readonly string[]): Problem {
  const nearest = nearestName(name, known);
  const meant = nearest === null ? '' : `; did you mean ${nearest}?`;
  return { name, origin, message: `there is no such setting${meant}` };
}
