import { access } from 'node:fs/promises';
import { AppError } from '../../runtime/app-error.ts';
import { findTool, packageFolders, toolMissing, type ToolPlaces } from '../find-program.ts';
import { runTool } from '../run-tool.ts';

export interface FoundPlantuml {
  readonly java: string;
  readonly jar: string;
  readonly version: string;
  /** What diagrams look like changes with it. */
  readonly name: string;
  /** Null where there is none: class, state and other diagrams that need it cannot be drawn. */
  readonly dot: string | null;
  /** Where they lie, so far as that is not with the system's programs. */
  readonly folders: readonly string[];
}

/** Where packages of Linux distributions, and Homebrew, put it. */
const jars = [
  '/usr/share/plantuml/plantuml.jar',
  '/usr/share/java/plantuml/plantuml.jar',
  '/usr/local/share/plantuml/plantuml.jar',
  '/opt/homebrew/opt/plantuml/libexec/plantuml.jar',
  '/usr/local/opt/plantuml/libexec/plantuml.jar',
];
const versionLimitMs = 30_000;

/** The PlantUML that is installed here. Throws `plantuml_missing`, kind configuration, naming the package that brings it. */
export async function findPlantuml(places: ToolPlaces, signal: AbortSignal): Promise<FoundPlantuml> {
  const { path, plantuml: set = null } = places;
  const [java, dot] = await Promise.all([findTool(places, 'java', 'java'), findTool(places, 'dot', 'dot')]);
  if (java === null) throw missing('java', 'default-jre-headless');
  const jar = await firstThatExists(set === null ? jars : [set]);
  if (jar === null && set !== null) toolMissing('plantuml', set);
  if (jar === null) throw missing('PlantUML', 'plantuml');
  const args = ['-Djava.awt.headless=true', '-jar', jar, '-version'];
  const { code, output } = await runTool({ command: java, args, path, limitMs: versionLimitMs, signal });
  const version = /PlantUML version (\S+)/.exec(output)?.[1];
  if (code !== 0 || version === undefined) {
    throw new AppError(
      'configuration',
      'plantuml_broken',
      `${jar} does not start: ${output.trim().slice(0, 300)}`,
      {
        hint: 'Install it again: apt-get install --reinstall plantuml',
      },
    );
  }
  const name = `PlantUML ${version}${dot === null ? ' without Graphviz' : ''}`;
  return { java, jar, version, name, dot, folders: await packageFolders(java, dot) };
}

/** Graphviz is not there. */
export function graphvizMissing(): AppError {
  return new AppError('configuration', 'graphviz_missing', 'Graphviz is not installed (no dot on PATH).', {
    hint: 'Install it: apt-get install graphviz. Without it PlantUML draws sequence and a few other diagrams only.',
  });
}

function missing(what: string, packageName: string): AppError {
  return new AppError('configuration', 'plantuml_missing', `${what} is not installed.`, {
    hint: `Install it: apt-get install ${packageName}`,
  });
}

async function firstThatExists(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}
