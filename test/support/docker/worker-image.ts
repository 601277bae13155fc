import { createHash } from 'node:crypto';
import path from 'node:path';
import { baseImage } from './base-image.ts';
import { docker, dockerSays } from './docker.ts';
import { dockerEngine } from './engine.ts';
import { oneAtATime } from './one-at-a-time.ts';

const checkout = path.join(import.meta.dirname, '../../..');

/** How long a hook may take that asks for images: where nothing is cached, all of them are made. */
export const imageLimitMs = 15 * 60_000;

export type ImageTarget = 'codex' | 'plantuml' | 'notebook' | 'drawio' | 'service';

const made = new Map<ImageTarget, Promise<string>>();

/**
 * The tag of a target of deploy/Dockerfile, built from this checkout as it is now; starts an engine where none runs. The engine's layer
 * cache makes it quick where nothing has changed.
 */
export function workerImage(target: ImageTarget): Promise<string> {
  const before = made.get(target);
  if (before !== undefined) return before;
  const image = buildTarget(target);
  made.set(target, image);
  return image;
}

async function buildTarget(target: ImageTarget): Promise<string> {
  await dockerEngine();
  const base = await baseImage();
  // Checkouts that share an engine do not take each other's images.
  const of = createHash('sha256').update(checkout).digest('hex').slice(0, 8);
  const tag = `capstan-test-${target}:${of}`;
  return oneAtATime('worker-image', async () => {
    const before = await docker('image', 'inspect', '--format', '{{.Id}}', tag).catch(() => null);
    const file = path.join(checkout, 'deploy/Dockerfile');
    const args = ['--quiet', '--force-rm', '--target', target, '--build-arg', `BASE_IMAGE=${base}`];
    const now = await docker('build', ...args, '--tag', tag, '--file', file, checkout);
    // What the tag meant until now is of no use to anybody; where a container still has it, it stays.
    if (before !== null && before !== now) await dockerSays('image', 'rm', before);
    return tag;
  });
}
