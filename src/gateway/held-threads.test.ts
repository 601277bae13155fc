import { expect, test } from 'vitest';
import { HeldThreads, type HeldThread } from './held-threads.ts';

interface Client {
  readonly over: AbortSignal;
}

const access = {
  provider: null,
  refused: new AbortController().signal,
  faults: () => [],
  [Symbol.dispose]: () => undefined,
};
const wanted = (): boolean => true;

function house(size: number) {
  const process = new AbortController();
  const discarded: string[] = [];
  const threads = new HeldThreads<Client>({
    size,
    maxAgeMs: 60_000,
    discard: ({ threadId }) => discarded.push(threadId),
  });
  const thread = (threadId: string): HeldThread<Client> => ({
    threadId,
    client: { over: process.signal },
    access,
    folder: '/',
    paused: null,
  });
  return { threads, thread, process, discarded };
}

test('a thread is taken once, by whoever it fits', () => {
  const { threads, thread, discarded } = house(2);
  using _threads = threads;
  threads.put(thread('a'));
  expect(threads.take('a', () => false)).toBeNull();
  expect(threads.take('a', wanted)?.threadId).toBe('a');
  expect(threads.take('a', wanted)).toBeNull();
  expect(discarded).toEqual([]);
});

test('the oldest goes where there are too many, and all go at the end, also those that come later', () => {
  const { threads, thread, discarded } = house(2);
  for (const id of ['a', 'b', 'c']) threads.put(thread(id));
  expect(discarded).toEqual(['a']);
  threads[Symbol.dispose]();
  expect(discarded).toEqual(['a', 'b', 'c']);
  threads.put(thread('d'));
  expect(discarded).toEqual(['a', 'b', 'c', 'd']);
});

test('a thread whose process is gone is let go of instead', () => {
  const { threads, thread, process, discarded } = house(2);
  using _threads = threads;
  threads.put(thread('a'));
  process.abort();
  expect(threads.take('a', wanted)).toBeNull();
  expect(discarded).toEqual(['a']);
});
