import type { Container, ContainerCreateOptions, ContainerInfo } from 'dockerode';
import { AppError } from '../../runtime/app-error.ts';
import type { Engine } from './engine.ts';
import { labels } from './labels.ts';

/** A container as people and rows name it. */
const shortIdLength = 12;

export interface ContainerName {
  readonly name: string;
  /** The database that it works for. */
  readonly dbPath: string;
}

const conflict = 409;
/** What the engine says where the folder is not there for it: another machine's, or one that Docker Desktop does not share. */
const notShared = /bind source path does not exist|mounts denied|not shared|file sharing/i;

/** The container of that name that is ours, or null. Throws `container_name_taken` where it is somebody else's. */
export async function findContainer(
  engine: Engine,
  { name, dbPath }: ContainerName,
  signal?: AbortSignal,
): Promise<ContainerInfo | null> {
  const found = await engine.ask(
    `look for the container ${name}`,
    (limit) =>
      engine.docker.listContainers({
        all: true,
        filters: { name: [`^/${name}$`] },
        abortSignal: limit,
      }),
    signal,
  );
  const container = found?.[0];
  if (container === undefined) return null;
  if (container.Labels[labels.worker] === name && container.Labels[labels.data] === dbPath) return container;
  throw new AppError(
    'configuration',
    'container_name_taken',
    `There is a container ${name} that was not started as a worker of ${dbPath}; it is left alone.`,
    { hint: `Look at it with \`docker inspect ${name}\`; rename or remove it, then try again.` },
  );
}

/** All workers of a database, also those that have ended. */
export async function listContainers(engine: Engine, dbPath: string): Promise<readonly ContainerInfo[]> {
  const found = await engine.ask('list containers', (limit) =>
    engine.docker.listContainers({
      all: true,
      filters: { label: [`${labels.data}=${dbPath}`, labels.worker] },
      abortSignal: limit,
    }),
  );
  return found ?? [];
}

/** Made, not started. What a killed launcher left under the name is removed first. Throws `container_name_taken`, `database_not_shared`. */
export async function createContainer(
  engine: Engine,
  { name, dbPath, body }: ContainerName & { readonly body: ContainerCreateOptions },
  signal?: AbortSignal,
): Promise<Container> {
  const left = await findContainer(engine, { name, dbPath }, signal);
  if (left !== null) await removeContainer(engine, left.Id);
  try {
    // Said in this way, only the name is in the URL; the body has the environment.
    const request = { _query: { name }, _body: body } as unknown as ContainerCreateOptions;
    const made = await engine.ask(
      `make the container ${name}`,
      (limit) => engine.docker.createContainer({ ...request, abortSignal: limit }),
      signal,
    );
    if (made !== null) return made;
  } catch (error) {
    if (error instanceof AppError && notShared.test(error.message)) throw databaseNotShared(dbPath, error);
    if (error instanceof AppError && error.details['status'] === conflict)
      await findContainer(engine, { name, dbPath }, signal);
    throw error;
  }
  const image = body.Image ?? '';
  throw new AppError('configuration', 'image_missing', `The Docker engine has no image ${image} any more.`, {
    hint: 'Build or pull it again.',
  });
}

/** Rejects with `image_unsuitable` where the image has no `capstan` to run. */
export async function startContainer(engine: Engine, container: Container, image: string): Promise<void> {
  try {
    const started = await engine.ask('start the container', (limit) =>
      container.start({ abortSignal: limit }).then(() => true),
    );
    if (started === true) return;
  } catch (error) {
    if (
      error instanceof AppError &&
      /executable file not found|no such file or directory|OCI runtime/i.test(error.message)
    )
      throw imageUnsuitable(image, error.message, error);
    throw error;
  }
  throw new AppError(
    'infrastructure',
    'docker_failed',
    'The container or its network was gone before it was started.',
    {
      hint: 'Try again; somebody removes containers at the same time.',
    },
  );
}

export function imageUnsuitable(image: string, why: string, cause?: unknown): AppError {
  return new AppError('configuration', 'image_unsuitable', `The image ${image} runs no worker: ${why}`, {
    hint: 'Use an image that runs `capstan` with the arguments that it is given, such as those of deploy/Dockerfile (docs/docker.md).',
    cause,
  });
}

export function databaseNotShared(dbPath: string, cause?: unknown): AppError {
  return new AppError(
    'configuration',
    'database_not_shared',
    `The containers of this Docker engine do not see ${dbPath}.`,
    {
      hint: 'The engine must run on this machine and may mount its folder (Docker Desktop: Settings, Resources, File sharing). Choose another data folder, or --workers=direct.',
      cause,
    },
  );
}

/** Kills it where it runs; nothing where there is none. */
export async function removeContainer(engine: Engine, id: string): Promise<void> {
  try {
    await engine.ask('remove a container', () =>
      engine.docker.getContainer(id).remove({ force: true, v: true }),
    );
  } catch (error) {
    // It is being removed by the engine itself.
    if (!(error instanceof AppError) || error.details['status'] !== conflict) throw error;
  }
}

export function shortId(id: string): string {
  return id.slice(0, shortIdLength);
}
