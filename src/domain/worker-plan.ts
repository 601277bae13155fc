import type { ExecutionMode } from './launcher.ts';

/** Workers of one type that are asked for. */
export interface WorkerDemand {
  readonly type: string;
  readonly mode: ExecutionMode;
  readonly count: number;
  readonly image: string | null;
  /** Who said so: `--worker-count`, `CAPSTAN_WORKERS__NOTEBOOK__COUNT`, `config.toml:3`, `default`. */
  readonly source: string;
}

export interface Machine {
  readonly processors: number;
  readonly freeMemoryBytes: number;
}

export interface BoundedPlan {
  readonly demands: readonly WorkerDemand[];
  readonly warnings: readonly string[];
}

const perProcessor = 2;
/** What a worker of a type takes while it works, as measured; what is not known takes the last. */
const megabytes: Readonly<Record<string, number>> = { codex: 400, plantuml: 500, notebook: 500, drawio: 700 };
const otherMegabytes = 300;
const mebibyte = 1024 ** 2;
/** Something is left to the rest of the machine. */
const memoryShare = 0.8;

/** No more workers than processors and memory can carry, but one of each type that is asked for; says where it gives fewer. */
export function boundWorkers(demands: readonly WorkerDemand[], machine: Machine): BoundedPlan {
  const warnings: string[] = [];
  const limit = Math.max(1, machine.processors * perProcessor);
  const counts = demands.map(({ type, count }) => {
    if (count > limit)
      warnings.push(
        `${count} ${type} workers are more than ${machine.processors} processors carry; starting ${limit}.`,
      );
    return Math.min(count, limit);
  });
  const budget = machine.freeMemoryBytes * memoryShare;
  const needOf = (at: number): number => (megabytes[demands[at]?.type ?? ''] ?? otherMegabytes) * mebibyte;
  const total = (): number => counts.reduce((sum, count, at) => sum + count * needOf(at), 0);
  const before = counts.reduce((sum, count) => sum + count, 0);
  while (total() > budget) {
    const most = Math.max(...counts);
    if (most <= 1) break;
    const at = counts.indexOf(most);
    counts[at] = most - 1;
  }
  const after = counts.reduce((sum, count) => sum + count, 0);
  const free = Math.round(machine.freeMemoryBytes / mebibyte);
  if (after < before)
    warnings.push(`${free} MiB of memory are free: starting ${after} workers instead of ${before}.`);
  else if (after > 0 && total() > machine.freeMemoryBytes)
    warnings.push(`Only ${free} MiB of memory are free; the workers may need more.`);
  return { demands: demands.map((demand, at) => ({ ...demand, count: counts[at] ?? 0 })), warnings };
}
