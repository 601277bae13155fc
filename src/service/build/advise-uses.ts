import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Failure } from '../../contract/failure.ts';
import type { BuildEntry } from './build-type.ts';
import type { BuildPlan, PlannedTask } from './plan-build.ts';

export interface MissedIn {
  /** The manifest's folder. */
  readonly root: string;
  /** The id of the job in the manifest. */
  readonly job: string;
  /** What the task makes something of, relative to `root`. */
  readonly file: string;
  /** All that the task gets. */
  readonly files: readonly string[];
}

/** Where a task is that may have missed a file. */
export function missedIn(
  { root }: Pick<BuildPlan, 'root'>,
  { id }: BuildEntry,
  { plan: { name, files } }: PlannedTask,
): MissedIn {
  return { root, job: id, file: name, files };
}

/** As Python, PlantUML and the page of a notebook say what they did not find. */
const missed = [
  /No such file or directory: (?<quote>['"])(?<path>[^'"\n]+)\k<quote>/,
  /cannot include (?<path>\S+?)\.?$/im,
  /pictures that are not there: (?<path>.+)$/m,
];

/** A job sees the files that it is given alone: where it missed one that lies in the project, the next step is to name it in `uses`. */
export function adviseUses(failure: Failure, place: MissedIn): Failure {
  const advice = adviceOn(failure.message, place);
  return advice === null ? failure : { ...failure, hint: advice };
}

/** The same of what did not fail the job. */
export function adviseWarning(warning: string, place: MissedIn): string {
  const advice = adviceOn(warning, place);
  return advice === null ? warning : `${warning}. ${advice}`;
}

function adviceOn(text: string, { root, job, file, files }: MissedIn): string | null {
  // An agent's task has no file of its own that paths could start at.
  const paths =
    file === '' ? [] : missed.flatMap((pattern) => pattern.exec(text)?.groups?.['path']?.split(', ') ?? []);
  for (const path of paths) {
    const found = posix.join(posix.dirname(file), path);
    const isHere = !posix.isAbsolute(path) && !found.startsWith('../') && existsSync(join(root, found));
    if (isHere && !files.includes(found))
      return `A job gets its input alone, and what it says that it uses: add "uses: '${found}'" to the job '${job}'.`;
  }
  return null;
}
