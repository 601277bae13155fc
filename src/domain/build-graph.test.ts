import { expect, test } from 'vitest';
import { buildOrder, graphProblems, withDependents, withNeeds, type GraphNode } from './build-graph.ts';
import { fc } from '../../test/support/properties.ts';

const node = (id: string, ...needs: readonly string[]): GraphNode => ({ id, needs });

/** Any graph whose nodes need only earlier ones, in any order of mention. */
const acyclic = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.tuple(
      ...Array.from({ length: size }, (_, at) =>
        fc
          .subarray(Array.from({ length: at }, (_each, before) => `n${String(before)}`))
          .map((needs) => node(`n${String(at)}`, ...needs)),
      ),
    ),
  )
  .chain((nodes) => fc.shuffledSubarray(nodes, { minLength: nodes.length, maxLength: nodes.length }));

test('a graph without a circle has no problem, and an order in which nothing comes before what it needs', () => {
  fc.assert(
    fc.property(acyclic, (nodes) => {
      expect(graphProblems(nodes)).toEqual([]);
      const order = buildOrder(nodes);
      expect([...order].sort()).toEqual(nodes.map(({ id }) => id).sort());
      for (const { id, needs } of nodes)
        for (const need of needs) expect(order.indexOf(need)).toBeLessThan(order.indexOf(id));
    }),
  );
});

test('one need that closes a circle is found, and what is named is a circle of the graph', () => {
  fc.assert(
    fc.property(acyclic, fc.nat(), fc.nat(), (nodes, a, b) => {
      const from = nodes[a % nodes.length]?.id ?? '';
      const dependents = [...withDependents(nodes, new Set([from]))];
      const to = dependents[b % dependents.length] ?? '';
      const closed = nodes.map((each) => (each.id === from ? node(each.id, ...each.needs, to) : each));
      const problems = graphProblems(closed);
      expect(problems.length).toBeGreaterThan(0);
      const needsOf = new Map(closed.map((each) => [each.id, each.needs]));
      for (const problem of problems) {
        if (problem.kind !== 'cycle') throw new Error('expected a cycle');
        const { path } = problem;
        expect(path.at(0)).toBe(path.at(-1));
        for (const [at, id] of path.slice(0, -1).entries()) expect(needsOf.get(id)).toContain(path[at + 1]);
      }
    }),
  );
});

test('what depends on something is reached, and nothing else', () => {
  fc.assert(
    fc.property(acyclic, fc.nat(), (nodes, at) => {
      const seed = nodes[at % nodes.length]?.id ?? '';
      const reached = withDependents(nodes, new Set([seed]));
      for (const { id, needs } of nodes)
        expect(reached.has(id)).toBe(id === seed || needs.some((need) => reached.has(need)));
    }),
  );
});

test('a job that needs itself, one that needs nothing known, two circles', () => {
  expect(graphProblems([node('a', 'a')])).toEqual([{ kind: 'cycle', path: ['a', 'a'] }]);
  expect(graphProblems([node('a', 'x')])).toEqual([{ kind: 'unknown', id: 'a', need: 'x' }]);
  expect(graphProblems([node('a', 'b'), node('b', 'a'), node('c', 'd'), node('d', 'c')])).toEqual([
    { kind: 'cycle', path: ['a', 'b', 'a'] },
    { kind: 'cycle', path: ['c', 'd', 'c'] },
  ]);
});

test('a chain of ten thousand is no problem', () => {
  const chain = Array.from({ length: 10_000 }, (_, at) =>
    node(String(at), ...(at === 0 ? [] : [String(at - 1)])),
  );
  expect(graphProblems(chain.toReversed())).toEqual([]);
  expect(buildOrder(chain.toReversed())[0]).toBe('0');
});

test('what is asked for brings all that it needs', () => {
  const nodes = [node('a'), node('b', 'a'), node('c', 'b'), node('d')];
  expect([...withNeeds(nodes, ['c'])].sort()).toEqual(['a', 'b', 'c']);
  expect([...withNeeds(nodes, [])]).toEqual([]);
});
