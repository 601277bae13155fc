import type { WorkerId } from '../../domain/ids.ts';
import type { WorkerRecord } from '../../domain/worker.ts';
import { shortId } from './containers.ts';
import type { Engine } from './engine.ts';

/** What an engine proves of a worker's container; of others it says nothing. */
export type ContainerState = 'gone' | 'paused';

const over: readonly string[] = ['exited', 'dead', 'created', 'removing', 'restarting'];

/**
 * Asks once for all. A container that this engine has made and does not know any more is gone; of another engine's none is proven gone.
 * Where a container was started again, only the worker that registered last lives in it.
 */
export async function containerStates(
  engine: Engine,
  workers: readonly WorkerRecord[],
): Promise<ReadonlyMap<WorkerId, ContainerState>> {
  const states = new Map<WorkerId, ContainerState>();
  const contained = workers.filter(({ container }) => container !== null);
  if (contained.length === 0) return states;
  const ids = [...new Set(contained.flatMap(({ container }) => (container === null ? [] : [container.id])))];
  const found = await engine.ask('list containers', (limit) =>
    engine.docker.listContainers({ all: true, filters: { id: ids }, abortSignal: limit }),
  );
  const known = new Map((found ?? []).map(({ Id, State }) => [shortId(Id), State]));
  const newest = new Map<string, WorkerId>();
  for (const { id, container } of contained) if (container !== null) newest.set(container.id, id);
  for (const { id, container } of contained) {
    if (container === null) continue;
    const state = known.get(container.id);
    const replaced = newest.get(container.id) !== id;
    const gone =
      state === undefined ? container.engineId === engine.facts.id : over.includes(state) || replaced;
    if (gone) states.set(id, 'gone');
    else if (state === 'paused') states.set(id, 'paused');
  }
  return states;
}
