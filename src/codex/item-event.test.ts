import { describe, expect, test } from 'vitest';
import { itemEvent, shownPath } from './item-event.ts';
import type { ThreadItem } from './protocol/generated/v2/ThreadItem.ts';

const message = (text: string): ThreadItem => ({
  type: 'agentMessage',
  id: 'm',
  text,
  moderation: null,
  phase: null,
  memoryCitation: null,
  delivery: null,
  questions: null,
});

describe('itemEvent', () => {
  test('a message counts when it is complete and says something', () => {
    expect(itemEvent(message('hi'), 'completed', '/w')).toEqual({
      type: 'agent.message',
      itemId: 'm',
      text: 'hi',
    });
    expect(itemEvent(message('hi'), 'started', '/w')).toBeNull();
    expect(itemEvent(message(''), 'completed', '/w')).toBeNull();
  });

  test('a moved file is one that went and one that came', () => {
    const item: ThreadItem = {
      type: 'fileChange',
      id: 'f',
      status: 'completed',
      changes: [{ path: '/w/a.txt', kind: { type: 'update', move_path: '/w/sub/b.txt' }, diff: '' }],
    };
    expect(itemEvent(item, 'completed', '/w')).toMatchObject({
      files: [
        { path: 'a.txt', change: 'deleted' },
        { path: 'sub/b.txt', change: 'created' },
      ],
    });
  });

  test('an item without a shape of its own is a tool', () => {
    const item: ThreadItem = { type: 'contextCompaction', id: 'c' };
    expect(itemEvent(item, 'started', '/w')).toEqual({
      type: 'agent.tool',
      itemId: 'c',
      name: 'contextCompaction',
      status: 'running',
    });
  });
});

test('a path outside the workspace keeps its whole name', () => {
  expect(shownPath('/etc/passwd', '/w')).toBe('/etc/passwd');
  expect(shownPath('/w/..a', '/w')).toBe('..a');
  expect(shownPath('a/b', '/w')).toBe('a/b');
});
