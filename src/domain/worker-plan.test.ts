import { expect, test } from 'vitest';
import { boundWorkers, type WorkerDemand } from './worker-plan.ts';

const demand = (type: string, count: number): WorkerDemand => ({
  type,
  count,
  mode: 'direct',
  image: null,
  source: 'default',
});
const gibibyte = 1024 ** 3;
const counts = ({ demands }: ReturnType<typeof boundWorkers>): readonly number[] =>
  demands.map(({ count }) => count);

test('what the machine carries is started as asked, without a word', () => {
  const plan = boundWorkers([demand('plantuml', 2), demand('codex', 1)], {
    processors: 4,
    freeMemoryBytes: 16 * gibibyte,
  });
  expect(plan.warnings).toEqual([]);
  expect(counts(plan)).toEqual([2, 1]);
});

test('more workers than processors carry: fewer, and a warning that says how many', () => {
  const plan = boundWorkers([demand('notebook', 50)], { processors: 2, freeMemoryBytes: 64 * gibibyte });
  expect(counts(plan)).toEqual([4]);
  expect(plan.warnings).toEqual(['50 notebook workers are more than 2 processors carry; starting 4.']);
});

test('little memory: the largest fleets shrink first, one of each type stays', () => {
  const plan = boundWorkers([demand('drawio', 4), demand('plantuml', 1)], {
    processors: 8,
    freeMemoryBytes: 2 * gibibyte,
  });
  expect(counts(plan)).toEqual([1, 1]);
  expect(plan.warnings[0]).toContain('starting 2 workers instead of 5');
});

test('hardly any memory: one is started all the same, with a warning', () => {
  const plan = boundWorkers([demand('codex', 1)], { processors: 1, freeMemoryBytes: 1024 ** 2 });
  expect(counts(plan)).toEqual([1]);
  expect(plan.warnings[0]).toContain('Only 1 MiB');
});

test('nothing asked for is nothing', () => {
  expect(boundWorkers([], { processors: 1, freeMemoryBytes: 0 })).toEqual({ demands: [], warnings: [] });
});
