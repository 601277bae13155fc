import { z } from 'zod';
import { AppError } from '../../runtime/app-error.ts';
import { createLineSplitter } from '../../runtime/line-splitter.ts';
import type { Engine } from './engine.ts';

export interface ImagePolicy {
  readonly pull: 'missing' | 'never';
  /** What a person may have to wait for. */
  readonly onNotice: (message: string) => void;
}

const progressSchema = z.object({ error: z.string().optional() });

/** The image's id, or null where this engine has none of that name. */
export async function findImage(engine: Engine, image: string, signal?: AbortSignal): Promise<string | null> {
  const found = await engine.ask(
    `look for the image ${image}`,
    () => engine.docker.getImage(image).inspect(),
    signal,
  );
  return found?.Id ?? null;
}

/** Makes sure that the engine has the image. Rejects with `image_missing` or `image_pull_failed`. */
export async function requireImage(
  engine: Engine,
  image: string,
  { policy, signal }: { readonly policy: ImagePolicy; readonly signal: AbortSignal },
): Promise<string> {
  const found = await findImage(engine, image, signal);
  if (found !== null) return found;
  if (policy.pull === 'never') throw imageMissing(image);
  policy.onNotice(`Pulling the image ${image}, which may take minutes.`);
  await pull(engine, image, signal);
  const pulled = await findImage(engine, image, signal);
  if (pulled === null) throw pullFailed(image, 'the registry sent another one.');
  return pulled;
}

function imageMissing(image: string): AppError {
  return new AppError(
    'configuration',
    'image_missing',
    `The Docker engine has no image ${image}, and none is pulled.`,
    {
      hint: `Build it (docs/docker.md), or let it be pulled: \`docker pull ${image}\`, or workers.pull = "missing".`,
      details: { image },
    },
  );
}

async function pull(engine: Engine, image: string, signal: AbortSignal): Promise<void> {
  try {
    const progress = (await engine.docker.pull(image, { abortSignal: signal })) as AsyncIterable<Buffer>;
    const failures: string[] = [];
    const lines = createLineSplitter({
      onLine: (line) => {
        const failure = progressSchema.safeParse(JSON.parse(line)).data?.error;
        if (failure !== undefined) failures.push(failure);
      },
      onOverlong: () => undefined,
    });
    // It answers well at once; how it went is said on the way.
    for await (const chunk of progress) lines.push(chunk);
    lines.end();
    if (failures.length > 0) throw new Error(failures.join(' '));
  } catch (error) {
    signal.throwIfAborted();
    throw pullFailed(image, error instanceof Error ? error.message : String(error), error);
  }
}

function pullFailed(image: string, why: string, cause?: unknown): AppError {
  return new AppError(
    'configuration',
    'image_pull_failed',
    `The image ${image} could not be pulled: ${why}`,
    {
      hint: `Look with \`docker pull ${image}\` (a private registry may need \`docker login\`), or build it: docs/docker.md.`,
      cause,
      details: { image },
    },
  );
}
