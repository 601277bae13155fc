import type { BuildEvent } from '../../contract/build-event.ts';
import { buildOrder } from '../../domain/build-graph.ts';
import type { BuildId } from '../../domain/ids.ts';
import { newId } from '../../runtime/ids.ts';
import { currentProcessIdentity } from '../../runtime/process-identity.ts';
import { deferred, pause } from '../../runtime/wait.ts';
import { every } from '../every.ts';
import type { Capstan } from '../open-capstan.ts';
import { reap } from '../workers/reap.ts';
import { createBuildFleet, type BuildFleet } from '../fleet/build-fleet.ts';
import { createLaunchers } from '../fleet/create-launchers.ts';
import { toolQueue } from '../workers/tool-queue.ts';
import { checkWorkers } from './check-workers.ts';
import type { KeepDeps } from './keep-outputs.ts';
import { watchJobs } from './job-watch.ts';
import type { Look, LookDeps } from './look-at-task.ts';
import { makeTask, type MakeDeps } from './make-task.ts';
import type { BuildPlan, PlannedEntry } from './plan-build.ts';
import { checkOutputFolder } from './output-files.ts';
import { outputsOf } from './remember.ts';
import type { RunBuildOptions } from './run-build-options.ts';
import { finishedEvent, isMade, type TaskResult } from './task-result.ts';

export interface Making extends LookDeps, KeepDeps {
  readonly looks: ReadonlyMap<string, Look>;
  /** By task; what is there is not made again. */
  readonly results: Map<string, TaskResult>;
}

const lookEveryMs = 2_000;
const progressEveryMs = 500;
/** What was cancelled has this long to end. */
const cancelLimitMs = 20_000;

/** Makes what has no result yet, each task after those that it needs, with workers that go when this ends. */
export async function makeAll(options: RunBuildOptions, making: Making): Promise<void> {
  const { capstan, plan } = making;
  const { store, config, logger } = capstan;
  await checkOutputFolder(plan.outputDir);
  const buildId = newId() as BuildId;
  await using open = new AsyncDisposableStack();
  await reap({ ...capstan, dataDir: config.dataDir });
  await store.openBuild(buildId, currentProcessIdentity());
  open.defer(() => store.closeBuild(buildId));
  const queueOf = async (type: string): Promise<string> => toolQueue(type, await making.toolOf(type));
  const fleet = openFleet(options, { ...making, buildId, queueOf, open });
  const needed = openTasks(making);
  if (needed.size > 0) {
    const serving = options.forceNewWorkers ? new Map<string, number>() : await fleet.serving(needed.keys());
    const toStart = new Set([...needed.keys()].filter((type) => !serving.has(type)));
    if (config.workers.autoStart) checkWorkers(making, toStart);
    await fleet.ensure(needed, options.interrupted);
  }

  const fault = new AbortController();
  const stop = AbortSignal.any([options.interrupted, fault.signal]);
  const watch = open.use(watchJobs(store, buildId, capstan.clock));
  const tell = (): Promise<void> => tellProgress(making, fleet, options.onEvent);
  open.use(
    every(progressEveryMs, tell, (error) => {
      logger.debug({ err: error }, 'No progress to tell');
    }),
  );
  const replace = (): Promise<void> => replaceLost(making, fleet, stop);
  open.use(
    every(lookEveryMs, replace, (error) => {
      fault.abort(error);
    }),
  );
  const cancelling = cancelOn(stop, capstan, buildId);
  open.use(cancelling);

  const { onEvent } = options;
  const all = inOrder(plan, async (planned) => {
    await makeEntry({ ...making, buildId, watch, stop, onEvent }, planned);
  });
  await Promise.race([all, cancelling.late]);
  // Whoever still waits by now waits for what does not end.
  await watch[Symbol.asyncDispose]();
  await all;
  await tell();
  // A fault of ours, not the user's wish: it is what the build ended with.
  if (fault.signal.aborted && !options.interrupted.aborted) throw fault.signal.reason;
}

interface FleetDeps extends Pick<LookDeps, 'capstan' | 'onToolChanged'> {
  readonly buildId: BuildId;
  readonly queueOf: (type: string) => Promise<string>;
  readonly open: AsyncDisposableStack;
}

function openFleet(
  options: RunBuildOptions,
  { capstan, buildId, queueOf, onToolChanged, open }: FleetDeps,
): BuildFleet {
  const warned = new Set<string>();
  return createBuildFleet({
    capstan,
    loaded: options.loaded,
    launchers: open.use(createLaunchers(capstan, options.surroundings)),
    buildId,
    queueOf,
    onToolChanged,
    forceNew: options.forceNewWorkers,
    onWarning: (message) => {
      if (!warned.has(message)) options.onEvent({ type: 'build.warning', message });
      warned.add(message);
    },
    onUsed: ({ demand: { type, mode, source }, reused, started }) => {
      options.onEvent({ type: 'workers.used', workerType: type, mode, reused, started, source });
    },
  });
}

/** Does `make` for each entry, once all that it needs are done. */
async function inOrder(plan: BuildPlan, make: (planned: PlannedEntry) => Promise<void>): Promise<void> {
  const byId = new Map(plan.entries.map((planned) => [planned.entry.id, planned]));
  const done = new Map<string, Promise<void>>();
  for (const id of buildOrder(plan.entries.map(({ entry }) => entry))) {
    const planned = byId.get(id);
    if (planned === undefined) continue;
    const needs = Promise.all(planned.entry.needs.map((need) => done.get(need) ?? Promise.resolve()));
    done.set(
      id,
      needs.then(() => make(planned)),
    );
  }
  await Promise.all(done.values());
}

async function makeEntry(
  deps: Making & Omit<MakeDeps, 'needed' | 'broken'>,
  planned: PlannedEntry,
): Promise<void> {
  const { plan, results, onEvent } = deps;
  const { needs, id } = planned.entry;
  const isBroken = (need: string): boolean =>
    plan.entries.some(
      ({ entry, tasks }) => entry.id === need && tasks.some((task) => !isMade(results.get(task.id))),
    );
  const broken = needs.find(isBroken) ?? null;
  const needed = Object.assign(
    {},
    ...needs.map((need) => outputsOf(plan, results, need)),
  ) as MakeDeps['needed'];
  const open = planned.tasks.filter((task) => !results.has(task.id));
  await Promise.all(
    open.map(async (task) => {
      const result = await makeTask({ ...deps, needed, broken }, planned, task);
      results.set(task.id, result);
      onEvent(finishedEvent(task.id, id, result));
    }),
  );
}

/** Cancels what the build alone wants once the signal aborts. `late` resolves when that has had its time. */
function cancelOn(
  signal: AbortSignal,
  { store, logger }: Capstan,
  buildId: BuildId,
): AsyncDisposable & { readonly late: Promise<void> } {
  const over = new AbortController();
  const { promise: late, resolve } = deferred<void>();
  let cancelling = Promise.resolve();
  const cancel = (): void => {
    cancelling = store
      .cancelBuildJobs(buildId)
      .then(async (ids) => {
        logger.debug({ jobs: ids.length }, 'Cancelled what this build alone wanted');
        await pause(cancelLimitMs, over.signal);
      })
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'What this build wanted could not be cancelled');
      })
      .finally(resolve);
  };
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  return {
    late,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', cancel);
      over.abort();
      await cancelling;
    },
  };
}

async function replaceLost(making: Making, fleet: BuildFleet, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { capstan } = making;
  // No worker in a container can see that another container has died.
  await reap({ ...capstan, dataDir: capstan.config.dataDir });
  const open = openTasks(making);
  const serving = await fleet.serving(open.keys());
  const lost = new Map([...open].filter(([type]) => (serving.get(type) ?? 0) === 0));
  if (lost.size > 0) await fleet.ensure(lost, signal);
}

/** How many tasks have no result yet, by type. */
function openTasks({ plan, results }: Making): ReadonlyMap<string, number> {
  const open = new Map<string, number>();
  for (const { entry, tasks } of plan.entries) {
    const count = tasks.filter(({ id }) => !results.has(id)).length;
    if (count > 0) open.set(entry.type, (open.get(entry.type) ?? 0) + count);
  }
  return open;
}

async function tellProgress(
  { capstan, plan, results }: Making,
  fleet: BuildFleet,
  onEvent: (event: BuildEvent) => void,
): Promise<void> {
  const planned = new Set(plan.entries.map(({ entry }) => entry.type));
  const [serving, stats] = await Promise.all([fleet.serving(planned), capstan.store.queueStats()]);
  const types = [...planned].map((type) => {
    const known = stats.find((each) => each.type === type);
    return {
      type,
      activeWorkers: serving.get(type) ?? 0,
      queueDepth: known?.waiting ?? 0,
      running: known?.running ?? 0,
      averageMs: known?.averageMs ?? null,
    };
  });
  const tasks = plan.entries.reduce((sum, entry) => sum + entry.tasks.length, 0);
  onEvent({ type: 'build.progress', types, done: results.size, tasks });
}
