export interface GraphNode {
  readonly id: string;
  readonly needs: readonly string[];
}

export type GraphProblem =
  | { readonly kind: 'unknown'; readonly id: string; readonly need: string }
  /** `path` begins and ends with the same id. */
  | { readonly kind: 'cycle'; readonly path: readonly string[] };

/** What keeps the graph from being carried out: needs that are nothing's id, then each cycle once. */
export function graphProblems(nodes: readonly GraphNode[]): readonly GraphProblem[] {
  const ids = new Set(nodes.map(({ id }) => id));
  const unknown = nodes.flatMap(({ id, needs }) =>
    needs.filter((need) => !ids.has(need)).map((need): GraphProblem => ({ kind: 'unknown', id, need })),
  );
  return [...unknown, ...cycles(nodes)];
}

/** The ids, each after all that it needs; otherwise in the order given. Only for a graph without problems. */
export function buildOrder(nodes: readonly GraphNode[]): readonly string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const order = new Set<string>();
  // By hand and not by recursion: a chain of thousands is allowed.
  for (const { id } of nodes) {
    const stack = [id];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const missing = (byId.get(top)?.needs ?? []).filter((need) => !order.has(need) && byId.has(need));
      if (order.has(top) || missing.length === 0) {
        order.add(top);
        stack.pop();
      } else stack.push(...missing.toReversed());
    }
  }
  return [...order];
}

/** `seeds` and all that needs one of them, directly or not. */
export function withDependents(nodes: readonly GraphNode[], seeds: ReadonlySet<string>): ReadonlySet<string> {
  const reached = new Set(seeds);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const id of buildOrder(nodes)) {
    if (byId.get(id)?.needs.some((need) => reached.has(need)) === true) reached.add(id);
  }
  return reached;
}

/** `seeds` and all that they need, directly or not. */
export function withNeeds(nodes: readonly GraphNode[], seeds: readonly string[]): ReadonlySet<string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const reached = new Set(seeds);
  // A set gives what is added to it on the way.
  for (const id of reached) for (const need of byId.get(id)?.needs ?? []) reached.add(need);
  return reached;
}

/** Depth first, with the way down in hand: meeting something on it again is a cycle. */
function cycles(nodes: readonly GraphNode[]): readonly GraphProblem[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const done = new Set<string>();
  const found: GraphProblem[] = [];
  for (const { id: start } of nodes) {
    const way: { readonly id: string; next: number }[] = done.has(start) ? [] : [{ id: start, next: 0 }];
    const onWay = new Set(way.map(({ id }) => id));
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const need = byId.get(top.id)?.needs[top.next];
      top.next += 1;
      if (need === undefined) {
        done.add(top.id);
        onWay.delete(top.id);
        way.pop();
      } else if (onWay.has(need)) {
        const from = way.findIndex(({ id }) => id === need);
        found.push({ kind: 'cycle', path: [...way.slice(from).map(({ id }) => id), need] });
      } else if (!done.has(need) && byId.has(need)) {
        way.push({ id: need, next: 0 });
        onWay.add(need);
      }
    }
  }
  return found;
}
