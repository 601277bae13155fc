import { environmentPrefixAliases, reservedEnvironment } from './aliases.ts';
import { isUnset, type Environment } from './environment.ts';
import { unknownName, type Layer, type Said } from './layer.ts';
import { namedSettings } from './named-settings.ts';

/** What the environment says. A `CAPSTAN_` variable that names no setting is a problem; an empty one says nothing. */
export function readEnvironmentLayer(environment: Environment, cwd: string): Layer {
  const said = namedSettings.flatMap((named): readonly Said[] => {
    const variable = spellings(named.variables).find((spelling) => !isUnset(environment[spelling]));
    const text = variable === undefined ? undefined : environment[variable];
    if (variable === undefined || text === undefined) return [];
    const value = named.setting.fromText(text.trim());
    return [{ named, value, origin: { layer: 'environment', where: variable }, baseDir: cwd }];
  });
  const known = namedSettings.flatMap(({ variables }) => variables);
  const problems = Object.keys(environment)
    .filter((variable) => variable.startsWith('CAPSTAN_') && !isUnset(environment[variable]))
    .filter((variable) => !known.includes(variable) && !reservedEnvironment.includes(variable))
    .map((variable) => unknownName(variable, 'environment', known));
  return { said, problems };
}

function spellings(variables: readonly string[]): readonly string[] {
  const [own = ''] = variables;
  const prefixed = environmentPrefixAliases.map((prefix) => own.replace(/^CAPSTAN_/, prefix));
  return [...variables, ...prefixed];
}
