import { expect, test } from 'vitest';
import { AppError } from '../runtime/app-error.ts';
import { spareKind, SpareThreads, type SpareThread } from './spare-threads.ts';
import type { TurnSpec } from './turn.ts';

interface Client {
  readonly over: AbortSignal;
}

const spec: TurnSpec = {
  history: [],
  input: [],
  model: 'm',
  effort: null,
  verbosity: null,
  summary: null,
  tools: [],
  parallelTools: true,
  outputSchema: null,
  thread: { kind: 'ephemeral' },
};
const wordy: TurnSpec = { ...spec, verbosity: 'high' };
const client = (): Client => ({ over: new AbortController().signal });

function pool(size = 2) {
  const seen = { started: 0, discarded: [] as string[], nowMs: 0, failing: false };
  const spares = new SpareThreads<Client>({
    size,
    maxAgeMs: 1000,
    monotonicMs: () => seen.nowMs,
    start: async (given, { verbosity }): Promise<SpareThread<Client>> => {
      if (seen.failing) throw new AppError('infrastructure', 'rpc_error', 'refused');
      seen.started += 1;
      const access = {
        provider: null,
        refused: new AbortController().signal,
        faults: () => [],
        [Symbol.dispose]: () => undefined,
      };
      const kind = spareKind({ ...spec, verbosity }) ?? '';
      return { client: given, kind, threadId: `thread-${seen.started}`, access };
    },
    discard: ({ threadId }) => void seen.discarded.push(threadId),
  });
  return { spares, seen };
}

test('a spare is for a turn of its kind, and for one alone', async () => {
  const { spares } = pool();
  const one = client();
  expect(spares.take(one, spec)).toBeNull();
  await spares.refill(one, spec);
  expect(spares.take(one, wordy)).toBeNull();
  expect(spares.take(one, { ...spec, thread: { kind: 'kept' } })).toBeNull();
  expect(spares.take(one, spec)?.threadId).toBe('thread-1');
  expect(spares.take(one, spec)).toBeNull();
});

test('there are never more than fit, those that are being started included', async () => {
  const { spares, seen } = pool(2);
  const one = client();
  await Promise.all(Array.from({ length: 5 }, () => spares.refill(one, spec)));
  expect(seen.started).toBe(2);
});

test('spares of a process that was replaced are let go of', async () => {
  const { spares, seen } = pool();
  await spares.refill(client(), spec);
  const next = client();
  expect(spares.take(next, spec)).toBeNull();
  expect(seen.discarded).toEqual(['thread-1']);
  await spares.refill(next, spec);
  expect(spares.take(next, spec)?.threadId).toBe('thread-2');
});

test('a spare that has waited for too long is let go of, of whatever kind, and makes room', async () => {
  const { spares, seen } = pool(1);
  const one = client();
  await spares.refill(one, wordy);
  await spares.refill(one, spec);
  expect(seen.started).toBe(1);
  seen.nowMs = 1001;
  expect(spares.take(one, spec)).toBeNull();
  expect(seen.discarded).toEqual(['thread-1']);
  await spares.refill(one, spec);
  expect(spares.take(one, spec)?.threadId).toBe('thread-2');
});

test('a start that fails leaves room for the next', async () => {
  const { spares, seen } = pool(1);
  const one = client();
  seen.failing = true;
  await spares.refill(one, spec);
  seen.failing = false;
  await spares.refill(one, spec);
  expect(spares.take(one, spec)).not.toBeNull();
});

test('after the end none is kept, not even one that was being started', async () => {
  const { spares, seen } = pool();
  const one = client();
  await spares.refill(one, spec);
  const late = spares.refill(one, spec);
  spares[Symbol.dispose]();
  await late;
  expect(seen.discarded).toEqual(['thread-1', 'thread-2']);
  await spares.refill(one, spec);
  expect(seen.started).toBe(2);
});
