import { AppError } from '../../runtime/app-error.ts';
import { describeExit } from '../../supervisor/describe-exit.ts';
import type { ChildExit } from '../../supervisor/child.ts';
import { imageUnsuitable } from './containers.ts';
import type { Engine } from './engine.ts';

export interface Death {
  readonly name: string;
  readonly image: string;
  readonly exit: ChildExit;
  readonly outOfMemory: boolean;
  readonly memoryMb: number | null;
  readonly lastLines: readonly string[];
}

/** What shells and init programs end with where there is no such program, or none that may be run. */
const noProgram: readonly (number | null)[] = [126, 127];

/** Why a container that ended before it took jobs did so: `container_died`, or `image_unsuitable`. */
export function containerDied({ name, image, exit, outOfMemory, memoryMb, lastLines }: Death): AppError {
  const said = lastLines.join(' ').trim();
  if (noProgram.includes(exit.code))
    return imageUnsuitable(image, said === '' ? `it ended with ${describeExit(exit)}` : said);
  const limit = memoryMb === null ? 'the memory of the machine' : `its ${memoryMb} MiB`;
  const how = outOfMemory
    ? `needed more than ${limit} and was killed`
    : `ended with ${describeExit(exit)} before it took jobs`;
  const hint = outOfMemory
    ? 'Raise workers.memory_mb, or lower worker.concurrency.'
    : `It said last: ${said === '' ? 'nothing' : said}`;
  return new AppError('infrastructure', 'container_died', `The container ${name} (${image}) ${how}.`, {
    hint,
  });
}

/** Whether the kernel has killed something in it for want of memory; the engine remembers for a while, also of what is removed. */
export async function ranOutOfMemory(engine: Engine, id: string, sinceMs: number): Promise<boolean> {
  const [since, until] = [Math.floor(sinceMs / 1_000), Math.ceil(Date.now() / 1_000)];
  const filters = { container: [id], event: ['oom'] };
  const events = await engine.ask('tell what happened to the container', (limit) =>
    engine.docker.getEvents({ since, until, filters, abortSignal: limit }),
  );
  if (events === null) return false;
  for await (const chunk of events) if (String(chunk).includes('"oom"')) return true;
  return false;
}
