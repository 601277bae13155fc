import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const bench = path.join(import.meta.dirname, '../../bench/main.ts');

interface Line {
  readonly name: string;
  readonly ours: number;
  readonly rival: number;
}

async function figures(...names: readonly string[]): Promise<readonly Line[]> {
  const { stdout } = await run(process.execPath, [bench, '--tiny', '--json', ...names], { timeout: 50_000 });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

// The figures with BullMQ install it from the registry; these need no network.
test('a figure measures both sides and prints a line for each comparison', async () => {
  const lines = await figures('restart');
  expect(lines).toEqual([expect.objectContaining({ name: 'restart', unit: 'ms' })]);
  for (const { ours, rival } of lines) expect([ours > 0, rival > 0]).toEqual([true, true]);
});

test('a job of the bench goes the whole way on both sides', async () => {
  const lines = await figures('codex-overhead');
  expect(lines.length).toBeGreaterThan(0);
  for (const { ours, rival } of lines) expect([ours > 0, rival > 0]).toEqual([true, true]);
});

test('what builds and fleets are measured by works', async () => {
  const lines = await figures('build-rebuild', 'fleet-fairness');
  expect(lines).toHaveLength(7);
  // So few jobs may pass by a worker that has just no processor.
  for (const { ours, rival } of lines) expect([ours >= 0, rival > 0]).toEqual([true, true]);
});

test('an unknown figure is refused by name', async () => {
  await expect(figures('no-such-figure')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no-such-figure'),
  });
});
