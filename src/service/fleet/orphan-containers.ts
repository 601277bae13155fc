import { AppError } from '../../runtime/app-error.ts';
import type { Capstan } from '../open-capstan.ts';

/** A container with this database's labels that has no business any more. */
export interface Orphan {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly why: string;
}

export interface OrphanOptions {
  /** Containers of registered workers. */
  readonly known: ReadonlySet<string>;
  /** Builds that go on. */
  readonly builds: ReadonlySet<string>;
  /** Also services that run and are not registered. */
  readonly all: boolean;
}

/** Containers whose worker is not registered: those of builds that are gone, and services that do not run. None where there is no engine. */
export async function findOrphans(capstan: Capstan, options: OrphanOptions): Promise<readonly Orphan[]> {
  const { config, clock } = capstan;
  const [{ listContainers, shortId }, { labels }] = await Promise.all([
    import('../../launcher/docker/containers.ts'),
    import('../../launcher/docker/labels.ts'),
  ]);
  const engine = await capstan.containers.engine().catch((error: unknown) => {
    if (error instanceof AppError) return null;
    throw error;
  });
  if (engine === null) return [];
  const found = await listContainers(engine, config.dbPath);
  return found.flatMap(({ Id, Labels, State, Created }): readonly Orphan[] => {
    const [id, name, type] = [shortId(Id), Labels[labels.worker] ?? '', Labels[labels.type] ?? ''];
    if (options.known.has(id)) return [];
    const build = Labels[labels.build];
    if (build !== undefined && !options.builds.has(build))
      return [{ id, name, type, why: 'its build is gone' }];
    if (build !== undefined) return [];
    const young = clock() - Created * 1_000 < config.workers.startTimeoutMs;
    // One that was only made is about to be started.
    if (State !== 'running' && !(State === 'created' && young))
      return [{ id, name, type, why: `it is ${State} and takes no jobs` }];
    return options.all && !young ? [{ id, name, type, why: 'it is not registered' }] : [];
  });
}

/** Ends and removes a container, by its id or name, that is proven ours by its labels; nothing where there is none. */
export async function endContainer(capstan: Capstan, nameOrId: string, graceMs: number): Promise<void> {
  const { dbPath } = capstan.config;
  const [{ listContainers, shortId }, { labels }, { stopContainer }] = await Promise.all([
    import('../../launcher/docker/containers.ts'),
    import('../../launcher/docker/labels.ts'),
    import('../../launcher/docker/stop-container.ts'),
  ]);
  const engine = await capstan.containers.engine();
  const ours = await listContainers(engine, dbPath);
  const meant = ours.find(({ Id, Labels }) => shortId(Id) === nameOrId || Labels[labels.worker] === nameOrId);
  if (meant !== undefined) await stopContainer(engine, meant.Id, graceMs);
}
