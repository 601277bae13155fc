import { docker } from '../docker/docker.ts';
import { whyNoEngine } from '../docker/engine.ts';
import { cacheRoot, runFolderPrefix, runLabel, testRunId } from '../test-run.ts';

/** What Capstan itself puts on a container: the database that it works for. */
const dataLabel = 'capstan.data';

interface Kind {
  readonly name: string;
  readonly list: readonly string[];
  /** What it is called in the list's format, and by what it is removed: networks may share a name. */
  readonly named: string;
  readonly id: string;
  readonly remove: readonly string[];
}

/** In the order in which they can be removed. */
const kinds: readonly Kind[] = [
  {
    name: 'container',
    list: ['ps', '--all'],
    named: 'Names',
    id: 'ID',
    remove: ['rm', '--force', '--volumes'],
  },
  { name: 'network', list: ['network', 'ls'], named: 'Name', id: 'ID', remove: ['network', 'rm'] },
  { name: 'volume', list: ['volume', 'ls'], named: 'Name', id: 'Name', remove: ['volume', 'rm', '--force'] },
];

/**
 * Removes the containers, networks and volumes of this run, and names them: what carries its label, has a name like its folders, or was
 * made for a database in them. Where no engine answers there are none.
 */
export async function removeContainers(runFolder: string): Promise<string[]> {
  if (whyNoEngine() !== null) return [];
  const left: string[] = [];
  for (const { name: kind, list, named, id, remove } of kinds) {
    const format = `{{.${id}}}\t{{.${named}}}\t{{.Label "${runLabel}"}}\t{{.Label "${dataLabel}"}}`;
    const lines = await docker(...list, '--format', format).catch(() => '');
    for (const line of lines.split('\n')) {
      const [found = '', name = '', run, data = ''] = line.split('\t');
      if (run !== testRunId() && !name.startsWith(runFolderPrefix()) && !isOfRun(data, runFolder)) continue;
      // One that removes itself may have gone since.
      await docker(...remove, found).catch(() => undefined);
      left.push(`${kind} ${name}`);
    }
  }
  return left;
}

function isOfRun(database: string, runFolder: string): boolean {
  return [`${runFolder}/`, `${cacheRoot}/${runFolderPrefix()}`].some((start) => database.startsWith(start));
}
