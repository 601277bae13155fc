import { docker } from '../docker/docker.ts';
import { whyNoEngine } from '../docker/engine.ts';
import { cacheRoot, runFolderPrefix, runLabel, testRunId } from '../test-run.ts';

/** What Capstan itself puts on all that it makes in an engine: the folder of its database. */
const dataLabel = 'capstan.data';

/**
 * Removes the containers, networks and volumes of this run, and names them: what carries its label, or was made for a data folder of its
 * own. Where no engine answers there are none.
 */
export async function removeContainers(runFolder: string): Promise<string[]> {
  if (whyNoEngine() !== null) return [];
  const folders = [runFolder, `${cacheRoot}/${runFolderPrefix()}`];
  const left: string[] = [];
  for (const [kind, list, remove] of kinds) {
    const format = `{{.ID}} {{.${kind === 'container' ? 'Names' : 'Name'}}} {{.Label "${runLabel}"}} {{.Label "${dataLabel}"}}`;
    const said = await docker(
      ...list,
      '--format',
      kind === 'volume' ? format.replace('.ID', '.Name') : format,
    ).catch(() => '');
    for (const line of said.split('\n')) {
      const [id = '', name = '', run, data = ''] = line.split(' ');
      if (run !== testRunId() && !folders.some((folder) => data.startsWith(folder))) continue;
      await docker(...remove, id);
      left.push(`${kind} ${id} ${name}`);
    }
  }
  return left;
}

const kinds = [
  ['container', ['ps', '--all'], ['rm', '--force', '--volumes']],
  ['network', ['network', 'ls'], ['network', 'rm']],
  ['volume', ['volume', 'ls'], ['volume', 'rm', '--force']],
] as const;
