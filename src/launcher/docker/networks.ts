import { AppError } from '../../runtime/app-error.ts';
import { statusOf } from './engine-error.ts';
import type { Engine } from './engine.ts';
import { labels } from './labels.ts';

const conflict = 409;
const forbidden = 403;

/** Makes the network where it is missing; one of that name that somebody else made is used as it is. */
export async function requireNetwork(engine: Engine, name: string, signal?: AbortSignal): Promise<void> {
  const found = await inspect(engine, name, signal);
  if (found !== null) return;
  try {
    await engine.ask(
      `make the network ${name}`,
      (limit) =>
        engine.docker.createNetwork({
          Name: name,
          // Two of the same name would be one too many: containers could not say which they mean.
          CheckDuplicate: true,
          Driver: 'bridge',
          Labels: { [labels.network]: name },
          abortSignal: limit,
        }),
      signal,
    );
  } catch (error) {
    // Another command was faster.
    if (!(error instanceof AppError) || error.details['status'] !== conflict) throw error;
  }
}

/** Removes the network where it is ours and nobody uses it any more. */
export async function removeIdleNetwork(engine: Engine, name: string): Promise<void> {
  const found = await inspect(engine, name);
  if (found?.Labels?.[labels.network] !== name || Object.keys(found.Containers ?? {}).length > 0) return;
  await engine.ask(`remove the network ${name}`, async () => {
    try {
      await engine.docker.getNetwork(found.Id).remove();
    } catch (error) {
      // Somebody has begun to use it.
      if (statusOf(error) !== forbidden) throw error;
    }
  });
}

async function inspect(engine: Engine, name: string, signal?: AbortSignal) {
  return engine.ask(`look for the network ${name}`, () => engine.docker.getNetwork(name).inspect(), signal);
}
