import { environmentPrefixAliases, reservedEnvironment } from './aliases.ts';
import type { Environment } from './environment.ts';
import { isUnset } from './is-unset.ts';
import { unknownName, type Layer, type Problem, type Said } from './layer.ts';
import { AppError } from '../runtime/app-error.ts';
import { namedSettings } from './named-settings.ts';
import { fileVariable, readSecretFile } from './secret-file.ts';

/**
 * What the environment says, secrets also by the file that `NAME_FILE` names. A `CAPSTAN_` variable that names no setting is a problem;
 * an empty one says nothing.
 */
export function readEnvironmentLayer(environment: Environment, cwd: string): Layer {
  const files = readSecretFiles(environment, cwd);
  const said = namedSettings.flatMap((named): readonly Said[] => {
    const variable = spellings(named.variables).find((spelling) => !isUnset(environment[spelling]));
    const text = variable === undefined ? undefined : environment[variable];
    if (variable === undefined || text === undefined) return [];
    const value = named.setting.fromText(text.trim());
    return [{ named, value, origin: { layer: 'environment', where: variable }, baseDir: cwd }];
  });
  const known = namedSettings.flatMap(({ variables, setting }) =>
    setting.kind === 'secret' ? [...variables, ...variables.map(fileVariable)] : variables,
  );
  const unknown = Object.keys(environment)
    .filter((variable) => variable.startsWith('CAPSTAN_') && !isUnset(environment[variable]))
    .filter((variable) => !known.includes(variable) && !reservedEnvironment.includes(variable))
    .map((variable) => unknownName(variable, 'environment', known));
  return { said: [...said, ...files.said], problems: [...files.problems, ...unknown] };
}

function readSecretFiles(environment: Environment, cwd: string): Layer {
  const said: Said[] = [];
  const problems: Problem[] = [];
  for (const named of namedSettings.filter(({ setting }) => setting.kind === 'secret')) {
    for (const variable of spellings(named.variables)) {
      const where = fileVariable(variable);
      try {
        const file = readSecretFile(environment, variable, cwd);
        if (file === null) continue;
        said.push({ named, value: file.value, origin: { layer: 'environment', where }, baseDir: cwd });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        problems.push({ name: named.name, origin: where, message: error.message });
      }
    }
  }
  return { said, problems };
}

function spellings(variables: readonly string[]): readonly string[] {
  const [own = ''] = variables;
  const prefixed = environmentPrefixAliases.map((prefix) => own.replace(/^CAPSTAN_/, prefix));
  return [...variables, ...prefixed];
}
