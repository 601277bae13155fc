import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

const never = new AbortController().signal;
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'taken',
    (error: unknown) => (error as { code?: string }).code,
  );

test('those who wait come in their order, and a slot given back twice is one slot', async () => {
  const slots = new Slots({ maxConcurrency: 1, queueLimit: 5, queueWaitMs: 10_000 });
  const first = await slots.take(never);
  const order: number[] = [];
  const waiting = [1, 2].map(async (number) => {
    const slot = await slots.take(never);
    order.push(number);
    slot.release();
  });
  first.release();
  first.release();
  await Promise.all(waiting);
  expect(order).toEqual([1, 2]);
  expect(slots.taken).toBe(0);
});

test('beyond the queue it is concurrency_exceeded, after the wait worker_busy', async () => {
  const slots = new Slots({ maxConcurrency: 1, queueLimit: 1, queueWaitMs: 20 });
  using _first = await slots.take(never);
  const waiting = codeOf(slots.take(never));
  expect(await codeOf(slots.take(never))).toBe('concurrency_exceeded');
  expect(await waiting).toBe('worker_busy');
});

test('who leaves the queue costs no slot', async () => {
  const slots = new Slots({ maxConcurrency: 1, queueLimit: 2, queueWaitMs: 10_000 });
  const first = await slots.take(never);
  const leave = new AbortController();
  const left = codeOf(slots.take(leave.signal));
  const stays = slots.take(never);
  leave.abort(Object.assign(new Error('gone'), { code: 'gone' }));
  expect(await left).toBe('gone');
  first.release();
  (await stays).release();
  expect(slots.taken).toBe(0);
});
