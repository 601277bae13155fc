import type { Layer, Said } from './layer.ts';
import { namedSettings } from './named-settings.ts';

/** Options as the command line's parser gives them: by the flag's name in camelCase, text, number, boolean or list. */
export type Flags = Readonly<Record<string, unknown>>;

/** What the flags say. Those of a command that are no settings (`--dir`, `--json`) are not looked at. */
export function readFlagLayer(flags: Flags, cwd: string): Layer {
  const said = namedSettings.flatMap((named): readonly Said[] => {
    const flag = named.flags.find((spelling) => flags[camelCase(spelling)] !== undefined);
    if (flag === undefined) return [];
    const given = flags[camelCase(flag)];
    const value = typeof given === 'string' ? named.setting.fromText(given) : given;
    return [{ named, value, origin: { layer: 'flag', where: `--${flag}` }, baseDir: cwd }];
  });
  return { said, problems: [] };
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
