import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { Bell } from './bell.ts';

const limit = { timeout: 20_000 };

function replace(path: string): void {
  writeFileSync(`${path}.new`, '');
  renameSync(`${path}.new`, path);
}

/** Two ends of one bell, as two processes have them. */
async function twoEnds() {
  const dir = await tempDir();
  const ringer = new Bell(dir.path, 'jobs');
  const hearer = new Bell(dir.path, 'jobs');
  return {
    path: dir.join('bell'),
    ringer,
    hearer,
    async [Symbol.asyncDispose]() {
      ringer[Symbol.dispose]();
      hearer[Symbol.dispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

describe('a bell', () => {
  test('is heard by its own process and by others, once a turn', async () => {
    await using t = await twoEnds();
    const own = vi.fn();
    const other = vi.fn();
    t.ringer.subscribe(own);
    t.hearer.subscribe(other);
    for (let i = 0; i < 100; i += 1) t.ringer.ring();
    await vi.waitFor(() => expect(other).toHaveBeenCalled(), limit);
    expect(own.mock.calls.length).toBeGreaterThan(0);
    expect(own.mock.calls.length).toBeLessThan(100);
  });

  test('stays one byte long', async () => {
    await using t = await twoEnds();
    for (let i = 0; i < 5; i += 1) t.ringer.ring();
    expect(statSync(t.path).size).toBe(1);
  });

  test('hears a byte that any program writes', async () => {
    await using t = await twoEnds();
    const heard = vi.fn();
    t.hearer.subscribe(heard);
    const fd = openSync(t.path, 'r+');
    writeSync(fd, Buffer.from('x'), 0, 1, 0);
    closeSync(fd);
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), limit);
  });

  test.each([
    ['deleted', (path: string) => rmSync(path)],
    ['renamed', (path: string) => renameSync(path, `${path}.old`)],
    ['replaced', replace],
  ])('is heard after its file was %s, and the loss itself wakes', async (_, harm) => {
    await using t = await twoEnds();
    const heard = vi.fn();
    t.hearer.subscribe(heard);
    t.ringer.ring();
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), limit);
    heard.mockClear();
    harm(t.path);
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), limit);
    heard.mockClear();
    t.ringer.ring();
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), limit);
  });

  test('calls no one who has stopped listening, and goes on for the others', async () => {
    await using t = await twoEnds();
    const gone = vi.fn();
    const here = vi.fn();
    const stop = t.hearer.subscribe(gone);
    t.hearer.subscribe(here);
    stop();
    t.ringer.ring();
    await vi.waitFor(() => expect(here).toHaveBeenCalled(), limit);
    expect(gone).not.toHaveBeenCalled();
  });

  test('that cannot be rung does not fail the ringer', async () => {
    const dir = await tempDir();
    const bell = new Bell(dir.join('gone'), 'jobs');
    expect(() => {
      bell.ring();
    }).not.toThrow();
    bell[Symbol.dispose]();
    await dir[Symbol.asyncDispose]();
  });
});
