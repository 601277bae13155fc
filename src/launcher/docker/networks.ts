import { AppError } from '../../runtime/app-error.ts';
import { statusOf } from './engine-error.ts';
import type { Engine } from './engine.ts';
import { labels } from './labels.ts';

const conflict = 409;
const forbidden = 403;

/**
 * Makes the network where it is missing; one of that name that somebody else made is used as it is. Callers of one process take turns:
 * the engine lets two make one at the same moment, and then a name means neither. Of those of two processes the younger is taken back.
 */
export async function requireNetwork(engine: Engine, name: string, signal?: AbortSignal): Promise<void> {
  if ((await networksOf(engine, name, signal)).length > 0) return;
  const made = await createNetwork(engine, name, signal);
  if (made === null) return;
  const [oldest] = await networksOf(engine, name);
  if (oldest !== undefined && oldest.Id !== made) await removeNetwork(engine, { name, id: made });
}

/** Removes the network where it is ours and nobody uses it any more. */
export async function removeIdleNetwork(engine: Engine, name: string): Promise<void> {
  for (const { Id: id } of await networksOf(engine, name)) {
    const found = await engine.ask(`look for the network ${name}`, () =>
      engine.docker.getNetwork(id).inspect(),
    );
    if (found?.Labels?.[labels.network] !== name || Object.keys(found.Containers ?? {}).length > 0) continue;
    await removeNetwork(engine, { name, id });
  }
}

/** Its id; null where another command was faster. */
async function createNetwork(engine: Engine, name: string, signal?: AbortSignal): Promise<string | null> {
  try {
    const made = await engine.ask(
      `make the network ${name}`,
      (limit) =>
        engine.docker.createNetwork({
          Name: name,
          CheckDuplicate: true,
          Driver: 'bridge',
          Labels: { [labels.network]: name },
          abortSignal: limit,
        }),
      signal,
    );
    return made?.id ?? null;
  } catch (error) {
    if (error instanceof AppError && error.details['status'] === conflict) return null;
    throw error;
  }
}

async function removeNetwork(
  engine: Engine,
  { name, id }: { readonly name: string; readonly id: string },
): Promise<void> {
  await engine.ask(`remove the network ${name}`, async () => {
    try {
      await engine.docker.getNetwork(id).remove();
    } catch (error) {
      // Somebody has begun to use it.
      if (statusOf(error) !== forbidden) throw error;
    }
  });
}

/** Those of exactly this name, the oldest first. */
async function networksOf(engine: Engine, name: string, signal?: AbortSignal) {
  const found = await engine.ask(
    `look for the network ${name}`,
    // The engine's own filter takes a part of a name for it.
    () => engine.docker.listNetworks({ filters: { name: [name] } }),
    signal,
  );
  return (found ?? [])
    .filter((network) => network.Name === name)
    .sort((one, other) => (`${one.Created}${one.Id}` < `${other.Created}${other.Id}` ? -1 : 1));
}
