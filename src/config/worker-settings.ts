import type { ExecutionMode } from '../domain/launcher.ts';
import type { WorkerDemand } from '../domain/worker-plan.ts';
import { AppError } from '../runtime/app-error.ts';
import { layerNames, type Origin } from './layer.ts';
import type { LoadedConfig } from './load-config.ts';

type Group = {
  readonly executionMode: ExecutionMode | null;
  readonly count: number | null;
  readonly image: string | null;
};

const none: Group = { executionMode: null, count: null, image: null };

/**
 * What the settings ask for of a type. `[workers.<type>]` goes before the defaults of `[workers]`, unless the default is said more
 * strongly: `--workers=docker` goes before a file's `execution_mode`. A type whose count is 0 is off, whatever the default.
 * Throws `worker_image_missing`, which names the key.
 */
export function workerDemand({ config, origins }: LoadedConfig, type: string): WorkerDemand {
  const { workers } = config;
  const own = Object.entries(workers).find(([name]) => name === type)?.[1];
  const group: Group = typeof own === 'object' ? (own ?? none) : none;
  const mode = stronger(origins, {
    own: { value: group.executionMode, name: `workers.${type}.execution_mode` },
    general: { value: workers.defaultExecutionMode, name: 'workers.default_execution_mode' },
  });
  const count = stronger(origins, {
    own: { value: group.count, name: `workers.${type}.count` },
    general: { value: workers.defaultWorkerCount, name: 'workers.default_worker_count' },
  });
  if (mode.value === 'docker' && count.value > 0 && group.image === null)
    throw imageMissing(type, mode.origin);
  const sources = new Set([count.origin, mode.origin].map(({ where }) => where));
  const source = [...sources].filter((where) => where !== 'default' || sources.size === 1).join(', ');
  return { type, mode: mode.value, count: count.value, image: group.image, source };
}

interface Named<Value> {
  readonly value: Value;
  readonly name: string;
}

function stronger<Value>(
  origins: LoadedConfig['origins'],
  { own, general }: { readonly own: Named<Value | null>; readonly general: Named<Value> },
): { readonly value: Value; readonly origin: Origin } {
  const originOf = (name: string): Origin => origins.get(name) ?? { layer: 'default', where: 'default' };
  const rank = (name: string): number => layerNames.indexOf(originOf(name).layer);
  const off = own.value === 0;
  return own.value !== null && (off || rank(own.name) <= rank(general.name))
    ? { value: own.value, origin: originOf(own.name) }
    : { value: general.value, origin: originOf(general.name) };
}

function imageMissing(type: string, origin: Origin): AppError {
  const key = `workers.${type}.image`;
  return new AppError(
    'configuration',
    'worker_image_missing',
    `${key} is not set, but ${type} workers are to run in docker (${origin.where}).`,
    { hint: `Set ${key} to the image of the worker, or use --workers=direct.`, details: { key } },
  );
}
