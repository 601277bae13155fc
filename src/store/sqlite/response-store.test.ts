import { expect, test } from 'vitest';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { openResponseStore, type ResponseStore, type StoredResponse } from './response-store.ts';
import { openSqliteStore } from './open-sqlite-store.ts';

async function openStore(): Promise<AsyncDisposable & { readonly store: ResponseStore }> {
  const stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const dbPath = dir.join('capstan.db');
  stack.use(await openSqliteStore({ dbPath }));
  const store = stack.use(await openResponseStore({ dbPath, busyLimitMs: 5000 }));
  return { store, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const response = (id: string, threadId: string, more: Partial<StoredResponse> = {}): StoredResponse => ({
  id,
  previousId: null,
  threadId,
  turnId: 'turn',
  tools: '',
  isWhole: true,
  createdAtMs: 1000,
  items: '[]',
  answer: '{}',
  ...more,
});

test('a response comes back as it was saved; what never was is null', async () => {
  await using house = await openStore();
  const { store } = house;
  const saved = response('one', 'thread-1', { answer: null });
  expect(await store.save(saved)).toEqual([]);
  expect(await store.find('one')).toEqual(saved);
  expect(await store.find('two')).toBeNull();
});

test('forgetting names the threads that no response is left in, once each', async () => {
  await using house = await openStore();
  const { store } = house;
  await store.save(response('old-1', 'thread-1'));
  await store.save(response('old-2', 'thread-1'));
  await store.save(response('old-3', 'thread-2'));
  await store.save(response('new', 'thread-2', { createdAtMs: 2000 }));
  expect(await store.forget(2000)).toEqual(['thread-1']);
  expect(await store.find('old-3')).toBeNull();
  expect(await store.find('new')).not.toBeNull();
  expect(await store.forget(2000)).toEqual([]);
});

test('a thread whose only response was broken off is unused at once, one with a whole response before it is not', async () => {
  await using house = await openStore();
  const { store } = house;
  expect(await store.save(response('cut', 'thread-1', { isWhole: false }))).toEqual(['thread-1']);
  expect(await store.save(response('whole', 'thread-2'))).toEqual([]);
  expect(await store.save(response('then-cut', 'thread-2', { isWhole: false }))).toEqual([]);
});

test('removing names what it leaves unused, and says where there was nothing', async () => {
  await using house = await openStore();
  const { store } = house;
  await store.save(response('one', 'thread-1'));
  await store.save(response('two', 'thread-1', { previousId: 'one' }));
  expect(await store.remove('one')).toEqual([]);
  expect(await store.conversationOf('two')).toBeNull();
  expect(await store.remove('two')).toEqual(['thread-1']);
  expect(await store.remove('two')).toBeNull();
});
