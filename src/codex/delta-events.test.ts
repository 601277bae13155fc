import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { JobEventBody } from '../contract/event.ts';
import { DeltaEvents } from './delta-events.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function collect(): { events: JobEventBody[]; deltas: DeltaEvents } {
  const events: JobEventBody[] = [];
  return { events, deltas: new DeltaEvents((event) => events.push(event)) };
}

test('pieces of a message come together, ten times a second at most', () => {
  const { events, deltas } = collect();
  for (let at = 0; at < 100; at += 1) {
    deltas.message('m', 'x');
    vi.advanceTimersByTime(5);
  }
  deltas.flush('m');
  expect(events.length).toBeLessThanOrEqual(6);
  expect(events.map((event) => (event.type === 'agent.message.delta' ? event.delta : '')).join('')).toBe(
    'x'.repeat(100),
  );
});

test('what is pending of a message comes before its end', () => {
  const { events, deltas } = collect();
  deltas.message('m', 'tail');
  deltas.flush('m');
  vi.runAllTimers();
  expect(events).toEqual([{ type: 'agent.message.delta', itemId: 'm', delta: 'tail' }]);
});

test("a running command shows its output's tail; after its end nothing more comes", () => {
  const { events, deltas } = collect();
  const command = { itemId: 'c', command: 'make' };
  for (let at = 0; at < 1000; at += 1) deltas.output(command, 'o'.repeat(100));
  vi.advanceTimersByTime(1000);
  deltas.output(command, 'last');
  deltas.flush('c');
  vi.runAllTimers();
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ type: 'agent.command', status: 'running', exitCode: null });
  expect(JSON.stringify(events).length).toBeLessThan(5000);
});

test('disposed, it says nothing more', () => {
  const { events, deltas } = collect();
  deltas.message('m', 'x');
  deltas[Symbol.dispose]();
  vi.runAllTimers();
  expect(events).toEqual([]);
});
