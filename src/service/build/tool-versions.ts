import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { delimiter } from 'node:path';
import type { LoadedConfig } from '../../config/load-config.ts';
import { workerDemand } from '../../config/worker-settings.ts';
import { hasErrno } from '../../runtime/app-error.ts';
import type { Capstan } from '../open-capstan.ts';
import type { WorkerTypes } from '../types/worker-type.ts';
import { imageTool } from '../workers/tool-queue.ts';
import type { BuildState } from './build-state.ts';

export interface ToolVersions {
  /** Each tool is asked once a build, and not at all where nothing on PATH or of itself has changed. */
  of(type: string): Promise<string>;
  /** Its worker has another one than was said here: it is asked anew the next time. */
  forget(type: string): void;
  /** What to remember. */
  known(): BuildState['tools'];
  /** Whether that is more than there was. */
  changed(): boolean;
}

export interface ToolVersionOptions {
  readonly loaded: LoadedConfig;
  readonly types: WorkerTypes;
  readonly state: BuildState;
  readonly onNotice: (message: string) => void;
  readonly signal: AbortSignal;
}

/** Asking a tool for its version may cost a second; looking at its files costs nothing. */
export function createToolVersions(
  capstan: Capstan,
  { loaded, types, state, onNotice, signal }: ToolVersionOptions,
): ToolVersions {
  const known = new Map(Object.entries(state.tools));
  const asked = new Map<string, Promise<string>>();

  let changed = false;

  async function ask(type: string): Promise<string> {
    const { mode, image } = workerDemand(loaded, type);
    // The tool of this machine, if there is one, has no part in it.
    if (mode === 'docker' && image !== null) return imageVersion(capstan, { type, image, onNotice, signal });
    const before = known.get(type);
    if (before?.stamp === stampOf(capstan, before?.witnesses ?? [])) return before.version;
    const tool = await types.get(type)?.build.tool(capstan, signal);
    if (tool === undefined) return '';
    const { version, witnesses } = tool;
    changed = true;
    known.set(type, { version, witnesses: [...witnesses], stamp: stampOf(capstan, witnesses) });
    return version;
  }

  return {
    of(type) {
      const version = asked.get(type) ?? ask(type);
      asked.set(type, version);
      return version;
    },
    forget(type) {
      known.delete(type);
      asked.delete(type);
      changed = true;
    },
    known: () => Object.fromEntries(known),
    changed: () => changed,
  };
}

/** What an image makes changes with the image, whatever it is called. Rejects with `docker_unavailable`, `image_missing`, `image_pull_failed`. */
async function imageVersion(
  { config, containers }: Capstan,
  { type, image, onNotice, signal }: ImageQuestion,
): Promise<string> {
  const [engine, { requireImage }] = await Promise.all([
    containers.engine(),
    import('../../launcher/docker/images.ts'),
  ]);
  const policy = { pull: config.workers.pull, onNotice };
  const imageId = await requireImage(engine, image, { policy, signal });
  return imageTool(type, { imageId, model: config.codex.model });
}

interface ImageQuestion extends Pick<ToolVersionOptions, 'onNotice' | 'signal'> {
  readonly type: string;
  readonly image: string;
}

function stampOf({ commandPath, config }: Capstan, witnesses: readonly string[]): string {
  const places = [...commandPath.split(delimiter), ...witnesses].map((path) => `${path} ${timesOf(path)}`);
  const settings = [config.codex.bin, config.codex.model, config.codex.driver, config.tools];
  return createHash('sha256')
    .update(JSON.stringify([places, settings]))
    .digest('hex');
}

/** Of a folder these change when something is put there or taken away. */
function timesOf(path: string): string {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? 'missing' : [stats.ino, stats.size, stats.mtimeNs].join(' ');
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'ENOTDIR', 'ELOOP')) return 'hidden';
    throw error;
  }
}
