import { removeContainer } from './containers.ts';
import type { Engine } from './engine.ts';

const killMs = 10_000;

/** Lets the worker in it finish within the grace, kills it then, and removes the container; it is proven ours by whoever found it. */
export async function stopContainer(engine: Engine, id: string, graceMs: number): Promise<void> {
  const container = engine.docker.getContainer(id);
  const state = await engine.ask('look at the container', () => container.inspect());
  // One that was paused feels nothing until it goes on.
  if (state?.State.Paused === true) await engine.ask('let the container go on', () => container.unpause());
  if (state?.State.Running === true) {
    const t = Math.ceil(graceMs / 1_000);
    await engine.within('stop the container', graceMs + killMs, (limit) =>
      container.stop({ t, abortSignal: limit }),
    );
  }
  await removeContainer(engine, id);
}
