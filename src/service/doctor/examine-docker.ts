import { passed, failed, warned, type Check } from '../../codex/check.ts';
import { dockerTypes, type DockerType } from '../../config/docker-types.ts';
import type { Config } from '../../config/settings.ts';
import type { Engine } from '../../launcher/docker/engine.ts';
import { AppError } from '../../runtime/app-error.ts';
import type { Containers } from '../fleet/containers.ts';

/** The engine and the images of the workers that are to run in containers; nothing where none are. */
export async function examineDocker(config: Config, containers: Containers): Promise<readonly Check[]> {
  const types = dockerTypes(config);
  if (types.length === 0) return [];
  try {
    const engine = await containers.engine();
    const images = await Promise.all(types.map((type) => examineImage(engine, config, type)));
    return [passed('docker', `engine ${engine.facts.version}`), ...images];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [failed('docker', error)];
  }
}

async function examineImage(engine: Engine, config: Config, { type, image }: DockerType): Promise<Check> {
  const name = `${type} image`;
  if (image === null) {
    return failed(
      name,
      new AppError('configuration', 'worker_image_missing', `workers.${type}.image is not set.`, {
        hint: `Set it to the image of the worker, or let ${type} workers run directly: docs/docker.md.`,
      }),
    );
  }
  const { findImage } = await import('../../launcher/docker/images.ts');
  const id = await findImage(engine, image);
  if (id !== null) return passed(name, `${image} (${id.slice(0, 'sha256:'.length + 12)})`);
  const missing = new AppError('configuration', 'image_missing', `${image} is not on this machine.`, {
    hint:
      config.workers.pull === 'never'
        ? 'Build it (docs/docker.md), or let it be pulled: workers.pull = "missing".'
        : 'It will be pulled when it is needed; or build it: docs/docker.md.',
  });
  return config.workers.pull === 'never' ? failed(name, missing) : warned(name, missing);
}
